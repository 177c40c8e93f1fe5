"""The options of `bundle create`, in groups that other commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from wheelferry_schemas.errors import ConflictError, UsageError

_Command = TypeVar("_Command", bound=Callable[..., Any])

_TARGET_OPTIONS = (
    click.option(
        "--platform",
        "platforms",
        multiple=True,
        metavar="TAG",
        help="Platform of the air-gapped host: manylinux_2_28_x86_64, musllinux_1_2_aarch64, "
        "win_amd64 or macosx_11_0_arm64. Repeat for several. Default: this host's.",
    ),
    click.option(
        "--python",
        "pythons",
        multiple=True,
        metavar="VERSION",
        help="Python of the air-gapped host: 3.12 or 3.12.4. Repeat for several. "
        "Default: the one that runs this command.",
    ),
)
_TARGET_FILES = click.option(
    "--target",
    "target_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that 'bundle target' wrote on the air-gapped host.",
)
_NAMED_TARGETS = click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="NAME|FILE",
    help="Target of that name in the settings, or a file written by 'bundle target'; write ./FILE for "
    "one that has the name of a target. Without --target and --platform all named targets are made.",
)
_SELECTION_OPTIONS = (
    click.option("--extra", "extras", multiple=True, metavar="NAME", help="Include this extra."),
    click.option("--all-extras", is_flag=True, help="Include all extras."),
    click.option(
        "--no-extra", "no_extras", multiple=True, metavar="NAME", help="Exclude this extra."
    ),
    click.option("--group", "groups", multiple=True, metavar="NAME", help="Include this group."),
    click.option(
        "--no-group", "no_groups", multiple=True, metavar="NAME", help="Exclude this group."
    ),
    click.option(
        "--only-group",
        "only_groups",
        multiple=True,
        metavar="NAME",
        help="Include only this group, without the project.",
    ),
    click.option("--all-groups", is_flag=True, help="Include all groups."),
    click.option("--no-default-groups", is_flag=True, help="Exclude the default groups."),
    click.option("--dev/--no-dev", default=True, help="Include or exclude the group dev."),
    click.option("--only-dev", is_flag=True, help="Short for --only-group dev."),
    click.option(
        "--package",
        "packages",
        multiple=True,
        metavar="NAME",
        help="Bundle this workspace member instead of the root project.",
    ),
    click.option("--all-packages", is_flag=True, help="Bundle all workspace members."),
    click.option(
        "--no-install-project", is_flag=True, help="Exclude the project, but not its dependencies."
    ),
    click.option("--no-install-workspace", is_flag=True, help="Exclude all workspace members."),
    click.option("--no-install-local", is_flag=True, help="Exclude all local packages."),
    click.option(
        "--no-install-package",
        "no_install_packages",
        multiple=True,
        metavar="NAME",
        help="Exclude this package.",
    ),
)
_LASTING_OPTIONS = (
    click.option(
        "--expires",
        metavar="TIME",
        help="Refuse to install the bundle after this time: 90d, 12w, or a day such as 2027-03-31.",
    ),
)
_OUTPUT_OPTIONS = (
    click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The file to write. {name}, {version}, {target} and {date} are filled in; {target} makes "
        "a file for each target.  [default: bundle.tar.zst, or bundle.pyz with --self-contained]",
    ),
    click.option(
        "--name",
        help="Name of the bundle. An environment accepts only bundles of one name. "
        "Default: the project's name, or the name of a requirements file's folder.",
    ),
    click.option(
        "--self-contained",
        is_flag=True,
        help="Include the installer: 'python3 bundle.pyz' then needs nothing but Python.",
    ),
)
_PLACE_OPTIONS = (
    click.option(
        "--python-archive",
        "python_archives",
        multiple=True,
        metavar="[TARGET=]FILE",
        help="Include a Python, such as one of python-build-standalone: a .tar.gz or .tar.zst "
        "with bin/python3. With several targets, its file name says which it is for.",
    ),
    click.option(
        "--find-links",
        multiple=True,
        metavar="FOLDER",
        type=click.Path(path_type=Path, file_okay=False),
        help="Look in this folder of wheels before fetching or building anything.",
    ),
    click.option(
        "--index-url",
        "index_urls",
        multiple=True,
        metavar="URL",
        help="Try this index or mirror before the locked URLs; files are checked by hash.",
    ),
    click.option("--no-build", is_flag=True, help="Do not build any package."),
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
        help="Pass this setting to the build backends.",
    ),
    click.option(
        "--with-build-deps",
        is_flag=True,
        help="Include the build requirements of local projects, for editable installs.",
    ),
)
_RISKS = (
    click.option(
        "--allow-missing-hash",
        is_flag=True,
        help="Accept files without a hash in the lock: nothing can check them.",
    ),
    click.option(
        "--allow-outside-paths",
        is_flag=True,
        help="Accept packages whose path in the lock lies outside the project's folder.",
    ),
)


def target_options(command: _Command) -> _Command:
    """Add the options that choose the target hosts."""
    return _added(command, (*_TARGET_OPTIONS, _TARGET_FILES))


def platform_options(command: _Command) -> _Command:
    """Add the options that choose target hosts by platform and Python."""
    return _added(command, _TARGET_OPTIONS)


def named_target_option(command: _Command) -> _Command:
    """Add the option that chooses targets by their names in the settings, or by files."""
    return _added(command, (_NAMED_TARGETS,))


def selection_options(command: _Command) -> _Command:
    """Add the flags of `uv sync` that select from a lock."""
    return _added(command, _SELECTION_OPTIONS)


def place_options(command: _Command) -> _Command:
    """Add the options that state where files come from and what may be built."""
    return _added(command, _PLACE_OPTIONS)


def risk_options(command: _Command) -> _Command:
    """Add the options that a person has to say each time: no settings hold them."""
    return _added(command, _RISKS)


def lasting_options(command: _Command) -> _Command:
    """Add the option that limits how long a bundle counts."""
    return _added(command, _LASTING_OPTIONS)


def output_options(command: _Command) -> _Command:
    """Add the options that state which file is written, and what it is."""
    return _added(command, _OUTPUT_OPTIONS)


def _added(command: _Command, options: Sequence[Callable[[Any], Any]]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def check_output(output: Path, *, force: bool) -> None:
    """Raise an error where the output cannot be written, or exists without `force`."""
    if output.exists() and not force:
        raise ConflictError(f"{output} exists already", hint="pass --force to replace it")
    if not output.parent.is_dir():
        raise UsageError(
            f"the folder {output.parent} does not exist", hint="create it, or choose another"
        )
