"""The options of `bundle create`, and the value that they are read into."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wheelferry_schemas.errors import ConflictError, UsageError

if TYPE_CHECKING:
    from wheelferry_bundler.api import CreateOptions

_DAY = 24 * 60 * 60
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
    click.option(
        "--target",
        "target_files",
        multiple=True,
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File that 'bundle target' wrote on the air-gapped host.",
    ),
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
    for option in reversed(_TARGET_OPTIONS):
        command = option(command)
    return command


def selection_options(command: _Command) -> _Command:
    """Add the flags of `uv sync` that select from a lock."""
    for option in reversed(_SELECTION_OPTIONS):
        command = option(command)
    return command


def place_options(command: _Command) -> _Command:
    """Add the options for where files come from and what may be built."""
    for option in reversed(_PLACE_OPTIONS):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFlags:
    """The command line of `bundle create`; `options` are what goes into the plan."""

    source: Path
    platforms: tuple[str, ...]
    pythons: tuple[str, ...]
    target_files: tuple[Path, ...]
    output: Path
    self_contained: bool
    force: bool
    keys: tuple[Path, ...]
    passphrase_file: Path | None
    unsigned: bool
    dry_run: bool
    as_json: bool
    quiet: bool
    created: int
    options: CreateOptions


def read_flags(
    *, output: Path | None, dev: bool, only_dev: bool, expires: str | None, **given: Any
) -> CreateFlags:
    """Return the command line as a value; raises `UsageError` for flags that exclude each other."""
    from wheelferry_bundler.api import CreateOptions

    if not dev:
        given["no_groups"] = (*given["no_groups"], "dev")
    if only_dev:
        given["only_groups"] = (*given["only_groups"], "dev")
    if given["unsigned"] and given["keys"]:
        raise UsageError("--unsigned and --key exclude each other", hint="leave one of them out")
    own = {
        field.name: given.pop(field.name) for field in fields(CreateFlags) if field.name in given
    }
    created = _created_at()
    return CreateFlags(
        **own,
        output=output or Path("bundle.pyz" if own["self_contained"] else "bundle.tar.zst"),
        created=created,
        options=CreateOptions(
            **given, expires=None if expires is None else _expires_at(expires, created)
        ),
    )


def _created_at() -> int:
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if text is None:
        return int(time.time())
    if not text.isdigit() or int(text) >= 2**33:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is {text!r}, not a number of seconds since 1970",
            hint="unset it, or set it to such a number: date +%s",
        )
    return int(text)


def _expires_at(text: str, created: int) -> int:
    """Parse `90d`, `12w` (counted from `created`) or a day, which means its end."""
    if match := re.fullmatch(r"([1-9][0-9]{0,4})([dw])", text):
        return created + int(match[1]) * (7 if match[2] == "w" else 1) * _DAY
    try:
        day = datetime.strptime(f"{text}+0000", "%Y-%m-%d%z")
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not an expiry time", hint="examples: 90d, 12w, 2027-03-31"
        ) from error
    expires = int(day.timestamp()) + _DAY
    if expires <= created:
        raise UsageError(
            f"the expiry date {text} has passed", hint="choose a later day for --expires"
        )
    return expires
