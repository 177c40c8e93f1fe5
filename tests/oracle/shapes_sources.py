"""Shapes of sources: where packages come from."""

from __future__ import annotations

from oracle.shapes import Shape, project

_SECOND = '[[tool.uv.index]]\nname = "second"\nurl = "@SECOND@"\nexplicit = true\n'
_LIBRARY = project("library", ["leaf"], extras={"more": ["colors"]}, groups={"dev": ["hen"]})

SHAPES = (
    Shape(
        name="git",
        files={
            "pyproject.toml": project(
                needs=["in-git[more]", "deep-in-git; sys_platform != 'win32'"],
                uv='sources = { in-git = { git = "@GIT@" }, deep-in-git = { git = "@GIT@", '
                'subdirectory = "deep", branch = "main" } }',
            )
        },
    ),
    Shape(
        name="urls",
        files={
            "pyproject.toml": project(
                needs=[
                    "branch @ @FILES@branch-1.0-py3-none-any.whl",
                    "sdist-only @ @FILES@sdist_only-1.0.tar.gz; sys_platform == 'linux'",
                    "numlib @ @FILES@numlib-1.0-cp312-cp312-win_amd64.whl ; sys_platform == 'win32'",
                ]
            )
        },
    ),
    Shape(
        name="files",
        files={
            "pyproject.toml": project(
                needs=["branch", "sdist-only"],
                uv='sources = { branch = { path = "vendor/branch-1.0-py3-none-any.whl" }, '
                'sdist-only = { path = "vendor/sdist_only-1.0.tar.gz" } }',
            ),
            "vendor/branch-1.0-py3-none-any.whl": "@FILE@",
            "vendor/sdist_only-1.0.tar.gz": "@FILE@",
        },
        flags=("", "--no-install-local", "--no-install-package branch"),
    ),
    Shape(
        name="folders",
        files={
            "pyproject.toml": project(
                needs=["library[more]", "editable-library", "virtual-library"],
                uv='sources = { library = { path = "libs/library" }, '
                'editable-library = { path = "libs/editable", editable = true }, '
                'virtual-library = { path = "libs/virtual", package = false } }',
            ),
            "libs/library/pyproject.toml": _LIBRARY,
            "libs/editable/pyproject.toml": project("editable-library", ["engine[turbo]"]),
            "libs/virtual/pyproject.toml": project("virtual-library", ["egg"], built=False),
        },
        flags=("", "--no-install-local", "--no-install-project", "--no-install-workspace"),
    ),
    Shape(
        name="dynamic versions",
        files={
            "pyproject.toml": project(
                needs=["library"],
                dynamic=True,
                uv='sources = { library = { path = "libs/library" } }',
            ),
            "libs/library/pyproject.toml": project("library", ["colors"], dynamic=True),
        },
    ),
    Shape(
        name="source archives only",
        files={"pyproject.toml": project(needs=["sdist-only", "tree"])},
    ),
    Shape(
        name="split indexes by platform",
        files={
            "pyproject.toml": project(
                needs=["tensor", "private"],
                uv='sources = { tensor = [{ index = "second", marker = "sys_platform == \'linux\' '
                'or sys_platform == \'win32\'" }], private = { index = "second" } }\n' + _SECOND,
            )
        },
    ),
    Shape(
        name="split indexes by extra",
        files={
            "pyproject.toml": project(
                needs=["leaf<2"],
                extras={
                    "cpu": ["tensor==2.0+cpu"],
                    "cu1": ["tensor==2.0+cu1"],
                    "plain": ["tensor"],
                },
                uv='conflicts = [[{ extra = "cpu" }, { extra = "cu1" }]]\n'
                'sources = { tensor = [{ index = "second", extra = "cpu" }, '
                '{ index = "second", extra = "cu1" }] }\n' + _SECOND,
            )
        },
        flags=("", "--extra cpu", "--extra cu1", "--extra cpu --extra cu1", "--extra plain"),
        widest="--extra cu1",
    ),
    Shape(
        name="split indexes by group",
        files={
            "pyproject.toml": project(
                needs=["colors"],
                groups={"dev": ["tensor==2.0+cpu"], "gpu": ["tensor==2.0+cu1"], "mac": ["tensor"]},
                uv='conflicts = [[{ group = "dev" }, { group = "gpu" }]]\n'
                'sources = { tensor = [{ index = "second", group = "dev" }, '
                '{ index = "second", group = "gpu" }] }\n' + _SECOND,
            )
        },
        flags=("", "--no-dev --group gpu", "--no-dev --group mac", "--group gpu", "--only-dev"),
        widest="--no-dev --group gpu",
    ),
    Shape(
        name="folder of wheels",
        on_index=False,
        files={
            "pyproject.toml": project(
                needs=["equal", "leaf"], uv='find-links = ["./wheels"]\nno-index = true\n'
            ),
            "wheels/leaf-1.0-py3-none-any.whl": "@FILE@",
            "wheels/leaf-2.0-py3-none-any.whl": "@FILE@",
            "wheels/equal-1.0-py3-none-any.whl": "@FILE@",
            "wheels/equal-1.0-py2.py3-none-any.whl": "@FILE@",
        },
    ),
    Shape(
        name="tags",
        files={
            "pyproject.toml": project(
                needs=[
                    *("stable", "any-abi3t; python_full_version < '3.14'", "glibcs", "legacy"),
                    *("raw-linux", "fat", "equal", "rebuilt", "program", "old-style", "numlib"),
                ]
            )
        },
    ),
)
NO_WHEEL = Shape(
    name="no wheel for some",
    files={
        "pyproject.toml": project(
            needs=["needs-glibc", "needs-python", "gil-only", "branch"],
            groups={"dev": ["any-abi3t"], "old": ["legacy", "raw-linux"]},
        )
    },
    flags=("", "--only-dev", "--all-groups", "--no-install-package needs-glibc"),
)
NO_WHEEL_BUT_SOURCE = Shape(
    name="no wheel but a source archive", files={"pyproject.toml": project(needs=["fallback"])}
)
OUTSIDE = Shape(
    name="path outside the project",
    files={
        "pyproject.toml": project(
            needs=["library[more]"], uv='sources = { library = { path = "../library" } }'
        ),
        "../library/pyproject.toml": _LIBRARY,
    },
)
