"""Shapes of several projects: workspaces, with a root that is a project or none, and conflicts."""

from __future__ import annotations

from oracle.shapes import Shape, dependency_groups, project

_MEMBERS = 'workspace = { members = ["members/*"] }\n'
_SIBLINGS = "sources = { one = { workspace = true }, two = { workspace = true } }\n"
_TWO = {
    "members/one/pyproject.toml": project(
        "one",
        ["leaf", "two[loud]; sys_platform != 'win32'"],
        extras={"fast": ["numlib"]},
        groups={"dev": ["colors"], "docs": ["tree[pretty]"]},
        uv=_SIBLINGS + 'default-groups = ["docs"]\n',
    ),
    "members/two/pyproject.toml": project(
        "two",
        ["branch"],
        extras={"loud": ["hen"], "fast": ["numlib", "new"]},
        groups={"dev": ["engine[turbo]"], "lint": ["gears"]},
    ),
    "members/three/pyproject.toml": project("three", ["two"], built=False, uv=_SIBLINGS),
}
_MEMBER_FLAGS = (
    "",
    "--package one",
    "--package two",
    "--package three",
    "--package one --package two",
    "--all-packages",
    "--all-packages --all-extras",
    "--all-packages --all-groups",
    "--package two --all-extras --all-groups",
    "--package two --group lint",
    "--package one --no-dev",
    "--package one --no-default-groups",
    "--package two --only-dev",
    "--package one --only-group docs",
    "--all-packages --extra fast --group docs",
    "--all-packages --only-group docs",
    "--no-install-workspace",
    "--all-packages --no-install-workspace",
    "--all-packages --no-install-project",
    "--package one --no-install-project",
    "--package one --package two --no-install-project",
    "--all-packages --no-install-local",
    "--all-packages --no-install-package two",
)


def _conflicts(*sets: str) -> str:
    return f"conflicts = [{', '.join(f'[{items}]' for items in sets)}]\n"


SHAPES = (
    Shape(
        name="workspace with a root project",
        files={
            "pyproject.toml": project(
                needs=["one", "colors"],
                extras={"fast": ["numlib"]},
                groups={"dev": ["two[fast]"], "docs": ["hen"], "root-only": ["machine-two"]},
                uv=_MEMBERS + _SIBLINGS,
            ),
            **_TWO,
        },
        flags=(
            *_MEMBER_FLAGS,
            "--package three --group root-only",
            "--package two --group root-only --only-group lint",
            "--package three --only-group root-only",
            "--package one --group docs",
            "--package three --all-groups",
            "--package one --package three --group root-only",
        ),
        widest="--all-packages --all-extras --all-groups",
    ),
    Shape(
        name="workspace whose root is no project",
        files={
            "pyproject.toml": f"[tool.uv]\n{_MEMBERS}",
            **_TWO,
        },
        flags=_MEMBER_FLAGS,
        widest="--all-extras --all-groups",
    ),
    Shape(
        name="groups of a root that is no project",
        files={
            "pyproject.toml": dependency_groups(
                {
                    "dev": ["leaf==2.0; sys_platform == 'linux'", "colors"],
                    "tools": ["tree[fast]", "two"],
                    "lint": [{"include-group": "dev"}, "egg[fried]"],
                }
            )
            + f"\n[tool.uv]\n{_MEMBERS}{_SIBLINGS}",
            **_TWO,
        },
        flags=(
            *_MEMBER_FLAGS,
            "--group tools",
            "--only-group tools",
            "--only-dev",
            "--package three --group tools",
            "--package two --group lint --only-group tools",
            "--package one --package three",
        ),
        widest="--all-groups --all-extras",
    ),
    Shape(
        name="root that is no project, without members",
        files={
            "pyproject.toml": dependency_groups({"dev": ["branch"], "docs": ["tree[all]"]})
            + '\n[tool.uv]\ndefault-groups = ["docs"]\n'
        },
        flags=("", "--all-groups", "--only-dev", "--no-default-groups"),
    ),
    Shape(
        name="forked groups of a root that is no project",
        files={
            "pyproject.toml": dependency_groups(
                {
                    "dev": [
                        "engine==1.0; sys_platform == 'win32'",
                        "engine[turbo]==2.0; sys_platform != 'win32'",
                    ]
                }
            )
            + "\n[tool.uv]\n"
        },
    ),
    Shape(
        name="workspace of an older revision",
        files={
            "pyproject.toml": project(
                needs=["one"],
                groups={"dev": ["colors"], "docs": ["hen"]},
                uv=_MEMBERS + _SIBLINGS + 'default-groups = ["docs"]\n',
            ),
            **_TWO,
        },
        flags=("", "--package one", "--package two", "--all-packages", "--package one --no-dev"),
        edit_lock=(("revision = 5\n", "revision = 3\n"),),
    ),
    Shape(
        name="conflicting extras",
        files={
            "pyproject.toml": project(
                needs=["tree"],
                extras={
                    "old": ["engine[turbo]==1.0"],
                    "current": ["engine==2.0"],
                    "future": ["engine[turbo]==2.0", "colors"],
                    "both": ["demo[old]", "hen"],
                },
                uv=_conflicts(
                    '{ extra = "old" }, { extra = "current" }, { extra = "future" }',
                    '{ extra = "both" }, { extra = "current" }, { extra = "future" }',
                ),
            )
        },
        flags=(
            "",
            "--extra old",
            "--extra current",
            "--extra future",
            "--extra both",
            "--extra old --extra current",
            "--extra both --extra future",
            "--all-extras",
            "--all-extras --no-extra old --no-extra both --no-extra future",
        ),
        widest="--extra future",
    ),
    Shape(
        name="conflicting groups",
        files={
            "pyproject.toml": project(
                needs=["leaf"],
                groups={
                    "dev": ["engine==1.0"],
                    "next": ["engine[turbo]==2.0"],
                    "other": ["machine-two"],
                },
                uv=_conflicts('{ group = "dev" }, { group = "next" }, { group = "other" }'),
                python=">=3.10",
            ).replace("conflicts", "default-groups = []\nconflicts")
        },
        flags=("", "--group next", "--group other", "--only-dev", "--all-groups", "--group dev"),
        widest="--group other",
    ),
    Shape(
        name="conflict with a default group",
        files={
            "pyproject.toml": project(
                extras={"new": ["engine[turbo]==2.0"]},
                groups={"dev": ["engine==1.0", "colors"]},
                uv=_conflicts('{ group = "dev" }, { extra = "new" }'),
            )
        },
        flags=("", "--extra new", "--extra new --no-dev", "--no-dev", "--all-extras --only-dev"),
        widest="--extra new --no-dev",
    ),
    Shape(
        name="conflicts across members",
        files={
            "pyproject.toml": project(
                needs=["one"],
                uv=_MEMBERS
                + _SIBLINGS
                + _conflicts(
                    '{ package = "one", extra = "old" }, { package = "two", extra = "new" }'
                ),
            ),
            "members/one/pyproject.toml": project(
                "one", ["two"], extras={"old": ["engine[turbo]==1.0"]}, uv=_SIBLINGS
            ),
            "members/two/pyproject.toml": project(
                "two",
                ["colors"],
                extras={"new": ["engine==2.0"]},
                groups={"dev": ["two[new]", "hen"]},
                uv=_SIBLINGS,
            ),
        },
        flags=(
            "",
            "--package one --extra old",
            "--package two --extra new",
            "--package two",
            "--all-packages",
            "--all-packages --extra old",
            "--all-packages --extra old --no-dev",
            "--all-packages --all-extras",
        ),
    ),
    Shape(
        name="conflicting projects",
        files={
            "pyproject.toml": f"[tool.uv]\n{_MEMBERS}"
            + _conflicts('{ package = "one" }, { package = "two" }'),
            "members/one/pyproject.toml": project(
                "one", ["engine==1.0"], groups={"dev": ["colors"]}
            ),
            "members/two/pyproject.toml": project(
                "two", ["engine[turbo]==2.0"], groups={"dev": ["hen"]}
            ),
        },
        flags=("", "--package one", "--package two", "--only-dev", "--package two --no-dev"),
        widest="--package two",
    ),
    Shape(
        name="conflict below a dependency",
        files={
            "pyproject.toml": project(
                needs=["branch"],
                extras={"cpu": ["machine-one"], "gpu": ["machine-two", "tree[pretty]"]},
                groups={"dev": ["demo[cpu]"]},
                uv=_conflicts('{ extra = "cpu" }, { extra = "gpu" }'),
            )
        },
        flags=("", "--no-dev", "--extra gpu --no-dev", "--extra gpu", "--only-dev"),
        widest="--extra gpu --no-dev",
    ),
    Shape(
        name="extra that a later group asks for",
        files={
            "pyproject.toml": project(
                needs=["tree[all]; sys_platform != 'win32'", "leaf<2"],
                extras={"a": ["patchy; sys_platform == 'win32'"]},
                groups={"g1": ["tree[empty]; sys_platform != 'win32'"], "g2": ["demo[a]"]},
                uv='default-groups = ["g1", "g2"]\n'
                + _conflicts('{ group = "g1" }, { extra = "a" }'),
            )
        },
        flags=("", "--no-group g1", "--no-group g2", "--extra a --no-group g1"),
    ),
)
