"""Shapes of one project: markers, extras, groups, forks."""

from __future__ import annotations

from collections.abc import Mapping

from oracle.shapes import Shape, project

_GROUP_FLAGS = (
    "",
    "--no-dev",
    "--only-dev",
    "--all-groups",
    "--group docs",
    "--group docs --no-group lint",
    "--no-default-groups",
    "--no-default-groups --group lint",
    "--only-group docs",
    "--only-group docs --only-group lint",
    "--all-groups --no-group dev",
    "--no-install-project",
    "--only-dev --no-install-project",
)
_GROUPS: dict[str, list[str | Mapping[str, str]]] = {
    "dev": ["colors", {"include-group": "lint"}],
    "lint": ["branch"],
    "docs": ["tree[pretty]", "numlib; python_version >= '3.11'"],
}

SHAPES = (
    Shape(
        name="markers",
        files={
            "pyproject.toml": project(
                needs=[
                    "leaf; sys_platform == 'win32'",
                    "branch; sys_platform != 'win32'",
                    "colors; platform_machine == 'AMD64' or platform_machine == 'aarch64'",
                    "numlib; platform_system == 'Darwin' and implementation_name == 'cpython'",
                    "new; 'linux' in sys_platform",
                    "hen; platform_machine in 'x86_64 arm64'",
                    "tree; os_name == 'posix' and python_version in '3.10 3.12'",
                ]
            )
        },
        flags=("", "--no-install-project", "--no-install-package leaf", "--no-install-local"),
    ),
    Shape(
        name="extras of extras",
        files={
            "pyproject.toml": project(
                needs=["tree"],
                extras={
                    "speed": ["tree[fast]"],
                    "everything": ["tree[all]", "demo[speed]"],
                    "kitchen": ["egg[fried]"],
                    "nothing": ["tree[empty]"],
                    "void": [],
                },
            )
        },
        flags=(
            "",
            "--extra speed",
            "--extra everything",
            "--all-extras",
            "--all-extras --no-extra everything",
            "--extra nothing --extra void",
            "--extra kitchen --no-install-package egg",
        ),
        widest="--all-extras",
    ),
    Shape(
        name="groups",
        files={"pyproject.toml": project(needs=["leaf"], groups=_GROUPS)},
        flags=_GROUP_FLAGS,
        widest="--all-groups",
    ),
    Shape(
        name="default groups listed",
        files={
            "pyproject.toml": project(
                needs=["leaf"], groups=_GROUPS, uv='default-groups = ["docs", "lint"]'
            )
        },
        flags=_GROUP_FLAGS,
    ),
    Shape(
        name="all groups by default",
        files={
            "pyproject.toml": project(needs=["leaf"], groups=_GROUPS, uv='default-groups = "all"')
        },
        flags=_GROUP_FLAGS,
    ),
    Shape(
        name="no groups by default",
        files={"pyproject.toml": project(needs=["leaf"], groups=_GROUPS, uv="default-groups = []")},
        flags=("", "--group docs", "--all-groups", "--only-dev", "--no-dev"),
    ),
    Shape(
        name="legacy dev dependencies",
        files={
            "pyproject.toml": project(
                needs=["leaf"],
                groups={"dev": ["branch"], "docs": ["colors"]},
                uv='dev-dependencies = ["tree[pretty]"]',
            )
        },
        flags=("", "--no-dev", "--only-dev", "--all-groups", "--only-group docs"),
    ),
    Shape(
        name="groups that ask for the project",
        files={
            "pyproject.toml": project(
                needs=["leaf"],
                extras={"test": ["colors"], "fast": ["numlib"]},
                groups={"dev": ["demo[test]"], "bench": ["demo[fast,test]", "branch"]},
            )
        },
        flags=("", "--no-dev", "--only-dev", "--only-group bench", "--all-groups --all-extras"),
        widest="--all-groups --all-extras",
    ),
    Shape(
        name="empty groups and extras",
        files={
            "pyproject.toml": project(
                needs=["leaf"],
                extras={"none": [], "nowhere": ["colors; sys_platform == 'plan9'"]},
                groups={"dev": [], "idle": []},
            )
        },
        flags=("", "--extra none", "--extra nowhere", "--group idle", "--only-group idle"),
    ),
    Shape(
        name="forks by python",
        files={
            "pyproject.toml": project(
                needs=[
                    "engine[turbo]==1.0; python_version < '3.12'",
                    "engine==2.0; python_version >= '3.12' and python_version < '3.14'",
                    "engine[turbo]==2.0; python_version >= '3.14'",
                    "new",
                    "numlib",
                ]
            )
        },
        flags=("", "--no-install-package new"),
    ),
    Shape(
        name="forks by platform",
        files={
            "pyproject.toml": project(
                needs=[
                    "machine-one; sys_platform == 'linux' and platform_machine == 'x86_64'",
                    "machine-two; sys_platform != 'linux'",
                    "engine[turbo]<2; sys_platform == 'linux' and platform_machine == 'x86_64'",
                    "engine>=2; sys_platform != 'linux'",
                    "engine[turbo]; platform_machine == 'aarch64' and sys_platform == 'linux'",
                ],
                extras={"late": ["colors; sys_platform == 'darwin' and python_version > '3.12'"]},
            )
        },
        flags=("", "--all-extras"),
        widest="--all-extras",
    ),
    Shape(
        name="patch releases",
        files={
            "pyproject.toml": project(
                needs=[
                    "patchy",
                    "colors; python_full_version >= '3.12.4'",
                    "branch; python_full_version == '3.13.4'",
                ],
                python=">=3.10.2,<3.15",
            )
        },
    ),
    Shape(
        name="bounded python",
        files={"pyproject.toml": project(needs=["new", "leaf"], python=">=3.11,<3.13.5")},
    ),
    Shape(
        name="python of a group",
        files={
            "pyproject.toml": project(
                needs=["leaf"],
                groups={"dev": ["colors"], "modern": ["new"]},
                uv='dependency-groups = { modern = { requires-python = ">=3.12" } }',
            )
        },
        flags=("", "--group modern", "--only-group modern", "--all-groups"),
    ),
    Shape(
        name="supported environments",
        files={
            "pyproject.toml": project(
                needs=["branch", "numlib", "winthing; sys_platform == 'win32'"],
                uv="environments = [\"sys_platform == 'linux'\", \"sys_platform == 'darwin' and "
                "python_version >= '3.12'\"]",
            )
        },
    ),
    Shape(
        name="required environments",
        files={
            "pyproject.toml": project(
                needs=["tensor", "branch"],
                uv="required-environments = [\"sys_platform == 'win32' and platform_machine == "
                "'AMD64'\"]",
            )
        },
    ),
    Shape(
        name="overrides and constraints",
        files={
            "pyproject.toml": project(
                needs=["machine-two", "tree", "branch"],
                uv='override-dependencies = ["leaf==1.1", "winthing; sys_platform == \'darwin\'"]\n'
                'constraint-dependencies = ["engine<3"]',
            )
        },
    ),
    Shape(
        name="lowest versions",
        files={"pyproject.toml": project(needs=["leaf>=1.1", "numlib", "Dotted_name"])},
        lock_arguments=("--resolution", "lowest"),
    ),
    Shape(
        name="no build system",
        files={"pyproject.toml": project(needs=["hen"], built=False)},
        flags=("", "--no-install-project", "--no-install-workspace"),
    ),
    Shape(
        name="never installed",
        files={"pyproject.toml": project(needs=["egg[fried]"], uv="package = false")},
    ),
    Shape(
        name="without pyproject",
        files={
            "pyproject.toml": project(
                needs=["leaf"],
                extras={"pretty": ["colors"]},
                groups={"dev": ["branch"], "docs": ["hen"]},
                uv='default-groups = ["docs"]',
                built=False,
            )
        },
        flags=("", "--all-extras", "--all-groups", "--only-dev", "--group dev"),
        without=("pyproject.toml",),
    ),
    Shape(
        name="old revision",
        files={
            "pyproject.toml": project(
                needs=["leaf"], extras={"pretty": ["colors"], "void": []}, groups=_GROUPS
            )
        },
        flags=("", "--all-extras", "--all-groups", "--extra void", "--no-dev"),
        edit_lock=(("revision = 5\n", "revision = 2\n"),),
    ),
    Shape(
        name="first revision",
        files={
            "pyproject.toml": project(needs=["leaf"], extras={"pretty": ["colors"], "void": []})
        },
        flags=("", "--all-extras", "--extra void"),
        edit_lock=(("revision = 5\n", ""),),
    ),
    Shape(
        name="long",
        files={
            "pyproject.toml": project(
                needs=[f"many-{number}" for number in range(0, 120, 4)],
                extras={"more": [f"many-{number}[more]" for number in range(0, 120, 15)]},
                groups={"dev": ["many-1", "many-2", "many-3"]},
            )
        },
        flags=("", "--all-extras", "--no-dev --extra more", "--only-dev"),
        widest="--all-extras",
    ),
)
