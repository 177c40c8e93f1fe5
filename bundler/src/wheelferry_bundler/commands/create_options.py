"""The options of `bundle create` that choose, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wheelferry_schemas.errors import ConflictError, UsageError

if TYPE_CHECKING:
    from wheelferry_bundler.model.locked import Wanted
    from wheelferry_bundler.model.options import BuildOptions
    from wheelferry_bundler.read.inputs import Input

_Command = TypeVar("_Command", bound=Callable[..., Any])

_TARGET_OPTIONS = (
    click.option(
        "--platform",
        "platforms",
        multiple=True,
        metavar="TAG",
        help="Platform of the far side, such as manylinux_2_28_x86_64, musllinux_1_2_aarch64, "
        "win_amd64 or macosx_11_0_arm64. Several make one bundle for all. Default: this host's.",
    ),
    click.option(
        "--python",
        "pythons",
        multiple=True,
        metavar="VERSION",
        help="Python of the far side, such as 3.12 or 3.12.4. Several make one bundle for all. "
        "Default: the one that runs this.",
    ),
    click.option(
        "--target",
        "target_files",
        multiple=True,
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="What 'bundle target' wrote on the far side; wins over every guess.",
    ),
)
_SELECTION_OPTIONS = (
    click.option("--extra", "extras", multiple=True, metavar="NAME", help="Take this extra too."),
    click.option("--all-extras", is_flag=True, help="Take all extras."),
    click.option(
        "--no-extra", "no_extras", multiple=True, metavar="NAME", help="But not this extra."
    ),
    click.option("--group", "groups", multiple=True, metavar="NAME", help="Take this group too."),
    click.option(
        "--no-group", "no_groups", multiple=True, metavar="NAME", help="But not this group."
    ),
    click.option(
        "--only-group",
        "only_groups",
        multiple=True,
        metavar="NAME",
        help="Take this group alone, without the project.",
    ),
    click.option("--all-groups", is_flag=True, help="Take all groups."),
    click.option("--no-default-groups", is_flag=True, help="Leave the default groups out."),
    click.option("--dev/--no-dev", default=True, help="Take the group dev, or leave it out."),
    click.option("--only-dev", is_flag=True, help="Short for --only-group dev."),
    click.option(
        "--package",
        "packages",
        multiple=True,
        metavar="NAME",
        help="Take this workspace member instead of the root project.",
    ),
    click.option("--all-packages", is_flag=True, help="Take all workspace members."),
    click.option("--no-install-project", is_flag=True, help="Take what the project needs, not it."),
    click.option("--no-install-workspace", is_flag=True, help="Leave all workspace members out."),
    click.option("--no-install-local", is_flag=True, help="Leave all local packages out."),
    click.option(
        "--no-install-package",
        "no_install_packages",
        multiple=True,
        metavar="NAME",
        help="Leave this package out.",
    ),
)
_PLACE_OPTIONS = (
    click.option(
        "--python-archive",
        "python_archives",
        multiple=True,
        metavar="[TARGET=]FILE",
        help="Take a Python along, such as one of python-build-standalone: a .tar.gz or .tar.zst "
        "with bin/python3. Its name tells the target, unless there is one only.",
    ),
    click.option(
        "--find-links",
        multiple=True,
        metavar="FOLDER",
        type=click.Path(path_type=Path, file_okay=False),
        help="A folder of wheels, looked into before anything is fetched or built.",
    ),
    click.option(
        "--index-url",
        "index_urls",
        multiple=True,
        metavar="URL",
        help="An index or mirror to take files from, by name and hash, before the locked URLs.",
    ),
    click.option("--no-build", is_flag=True, help="Build nothing."),
    click.option(
        "--no-build-package",
        "no_build_packages",
        multiple=True,
        metavar="NAME",
        help="Do not build this package.",
    ),
    click.option(
        "-C",
        "--config-setting",
        "config_settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="A setting for the build backends.",
    ),
    click.option(
        "--with-build-deps",
        is_flag=True,
        help="Take what local projects need to be built along, for editable installs over there.",
    ),
    click.option(
        "--allow-missing-hash",
        is_flag=True,
        help="Take files that the lock states no hash for. Nothing vouches for them.",
    ),
    click.option(
        "--allow-outside-paths",
        is_flag=True,
        help="Take packages whose path in the lock leads out of the project's folder.",
    ),
)


def target_options(command: _Command) -> _Command:
    """Add the options that say for which hosts a bundle is."""
    for option in reversed(_TARGET_OPTIONS):
        command = option(command)
    return command


def selection_options(command: _Command) -> _Command:
    """Add the flags of `uv sync` that say what of a lock is wanted."""
    for option in reversed(_SELECTION_OPTIONS):
        command = option(command)
    return command


def place_options(command: _Command) -> _Command:
    """Add the options that say where files come from and what may be built."""
    for option in reversed(_PLACE_OPTIONS):
        command = option(command)
    return command


def check_output(output: Path, *, force: bool) -> None:
    """Refuse a place where nothing can be written, or something is that is not to be replaced."""
    if output.exists() and not force:
        raise ConflictError(f"{output} exists already", hint="pass --force to replace it")
    if not output.parent.is_dir():
        raise UsageError(f"there is no folder {output.parent}", hint="make it, or choose another")


def read_wanted(*, dev: bool, only_dev: bool, **flags: Any) -> Wanted:
    """Return what the flags ask of a lock; raises `UsageError` for flags that exclude each other."""
    from wheelferry_bundler.model.locked import Wanted

    if not dev:
        flags["no_groups"] = (*flags["no_groups"], "dev")
    if only_dev:
        flags["only_groups"] = (*flags["only_groups"], "dev")
    if flags["only_groups"] and (flags["groups"] or flags["extras"] or flags["all_extras"]):
        raise UsageError(
            "--only-group excludes --group and --extra",
            hint="name every group that you want with --only-group",
        )
    if flags["packages"] and flags["all_packages"]:
        raise UsageError(
            "--package and --all-packages exclude each other", hint="leave one of them out"
        )
    return Wanted(**flags)


def read_build_options(
    found: Input,
    *,
    find_links: tuple[Path, ...],
    index_urls: tuple[str, ...],
    no_build: bool,
    no_build_packages: tuple[str, ...],
    config_settings: tuple[str, ...],
) -> BuildOptions:
    """Return what may be built, and where files come from besides where the lock says."""
    from packaging.utils import canonicalize_name

    from wheelferry_bundler.model.options import BuildOptions
    from wheelferry_bundler.read.inputs import locations_for

    return BuildOptions(
        no_build=no_build,
        no_build_packages=frozenset(map(canonicalize_name, no_build_packages)),
        config_settings=config_settings,
        locations=locations_for(found, find_links, index_urls),
    )


def recorded_options(wanted: Wanted) -> list[str]:
    """Return the selection flags as the manifest records them: one canonical spelling each."""
    options = []
    for field in wanted.__slots__:
        value = getattr(wanted, field)
        flag = "--" + field.replace("_", "-")
        if value is True:
            options.append(flag)
        elif value:
            # The fields of names are plural, the flags are not.
            options += [f"{flag.removesuffix('s')} {name}" for name in sorted(set(value))]
    return sorted(options)
