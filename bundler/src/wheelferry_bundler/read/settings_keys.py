"""The keys of settings: what each takes, and what is checked of it.

The names are those of the options of `bundle create`. Tables that are plainly right are read here;
all others are for the models of `settings_models`, which are made from these keys and say what is
wrong. So pydantic, which takes its time to load, is loaded where there is something to report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from packaging.utils import InvalidName, canonicalize_name

from wheelferry_bundler.model.bundle_names import checked
from wheelferry_bundler.model.expiry import check_expiry
from wheelferry_bundler.model.output_names import check_output_name
from wheelferry_bundler.model.urls import split_url
from wheelferry_bundler.read.targets import parse_python
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_schemas.errors import UsageError, WheelferryError

Value: TypeAlias = bool | str | tuple[str, ...]
"""What an option is given; its name is that of the command line, without dashes."""
FORMAT = 1
TARGET_NAME = r"[a-z0-9][a-z0-9_-]{0,63}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key: whether it takes texts, a text or a flag, and what raises for a wrong text."""

    kind: Literal["texts", "text", "flag"]
    description: str
    check: Callable[[str], object] = str


def _check_path(text: str) -> None:
    if not text or "\0" in text:
        raise UsageError("names no file", hint="paths are relative to the file that states them")


def _check_key(text: str) -> None:
    if "PRIVATE KEY" in text or "\n" in text:
        raise UsageError(
            "this is a key itself: secrets do not belong here",
            hint="name the file of the key; replace a key that others may have seen",
        )
    _check_path(text)


def _check_url(text: str) -> None:
    parts = split_url(text)
    if "@" in parts.netloc or parts.query:
        raise UsageError(
            "the URL holds a login or a query: secrets do not belong here",
            hint="put it into netrc, the keyring or uv's variables; change a password that others "
            "may have seen",
        )
    if parts.scheme not in ("http", "https", "file"):
        raise UsageError(f"{text!r} is not a URL", hint="example: https://index.example/simple")


def _check_setting(text: str) -> None:
    if not re.match(r"[^=]+=", text):
        raise UsageError(f"{text!r} is not KEY=VALUE", hint='example: "--build-option=--fast"')


def _check_name(text: str) -> None:
    try:
        canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise UsageError(
            f"{text!r} is not a name", hint="names have letters, digits and - _ . between them"
        ) from error


def _texts(description: str, check: Callable[[str], object]) -> Key:
    return Key(kind="texts", description=description, check=check)


def _text(description: str, check: Callable[[str], object]) -> Key:
    return Key(kind="text", description=description, check=check)


def _flag(description: str) -> Key:
    return Key(kind="flag", description=description)


KEYS: Mapping[str, Key] = {
    "platform": _texts(
        "Platforms of the hosts, such as manylinux_2_28_x86_64 or win_amd64.", parse_platform
    ),
    "python": _texts("Pythons of the hosts, such as 3.12 or 3.12.4.", parse_python),
    "extra": _texts("Extras to take too.", _check_name),
    "all-extras": _flag("Take all extras."),
    "no-extra": _texts("Extras not to take.", _check_name),
    "group": _texts("Dependency groups to take too.", _check_name),
    "no-group": _texts("Dependency groups not to take.", _check_name),
    "only-group": _texts("Dependency groups to take alone, without the project.", _check_name),
    "all-groups": _flag("Take all dependency groups."),
    "no-default-groups": _flag("Leave the default groups out."),
    "no-dev": _flag("Leave the group dev out."),
    "only-dev": _flag("Short for only-group = dev."),
    "package": _texts("Workspace members to take instead of the root project.", _check_name),
    "all-packages": _flag("Take all workspace members."),
    "no-install-project": _flag("Take what the project needs, not the project."),
    "no-install-workspace": _flag("Leave all workspace members out."),
    "no-install-local": _flag("Leave all local packages out."),
    "no-install-package": _texts("Packages to leave out.", _check_name),
    "python-archive": _texts(
        "Archives of Pythons to carry, FILE or TARGET=FILE, such as those of "
        "python-build-standalone.",
        _check_path,
    ),
    "find-links": _texts(
        "Folders of wheels, looked into before anything is fetched or built.", _check_path
    ),
    "index-url": _texts(
        "Indexes or mirrors to take files from, before the locked URLs; without logins.", _check_url
    ),
    "no-build": _flag("Build nothing."),
    "no-build-package": _texts("Packages not to build.", _check_name),
    "config-setting": _texts("Settings for the build backends, as KEY=VALUE.", _check_setting),
    "with-build-deps": _flag("Carry what local projects need to be built."),
    "key": _texts(
        "Keys to sign with: key files, or .pub files of keys in an agent. May lie anywhere.",
        _check_key,
    ),
    "expires": _text(
        "From when on hosts refuse the bundle: 90d, 12w, or a day such as 2027-03-31.", check_expiry
    ),
    "output": _text(
        "The file to write. {name}, {version}, {target} and {date} are filled in; with {target} "
        "there is a file for each target.",
        check_output_name,
    ),
    "name": _text("What the bundle is called.", checked),
    "self-contained": _flag("Put the installer in as well."),
}
TARGET_KEYS: Mapping[str, Key] = {
    **KEYS,
    "describe": _text(
        "What `bundle target` wrote on the host; instead of platform and python.", _check_path
    ),
}


def plainly_right(
    table: Any,
) -> tuple[dict[str, Value], dict[str, dict[str, Value]]] | None:
    """Return the options of a table and of its targets, None unless all of it is right."""
    if not isinstance(table, dict):
        return None
    rest = {key: value for key, value in table.items() if key not in ("format", "targets")}
    stated, tables = table.get("format", FORMAT), table.get("targets", {})
    if type(stated) is not int or stated != FORMAT or not isinstance(tables, dict):
        return None
    values = _plainly_right(rest, KEYS)
    targets = {
        name: _plainly_right(own, TARGET_KEYS) if re.fullmatch(TARGET_NAME, name) else None
        for name, own in tables.items()
    }
    right = {name: own for name, own in targets.items() if own is not None}
    return None if values is None or len(right) < len(targets) else (values, right)


def _plainly_right(table: Any, keys: Mapping[str, Key]) -> dict[str, Value] | None:
    if not isinstance(table, dict) or not table.keys() <= keys.keys():
        return None
    values: dict[str, Value] = {}
    for name, value in table.items():
        key = keys[name]
        if key.kind == "flag":
            if not isinstance(value, bool):
                return None
            values[name] = value
            continue
        listed = value if key.kind == "texts" and isinstance(value, list) else [value]
        if not all(isinstance(text, str) and _passes(key, text) for text in listed):
            return None
        values[name] = tuple(listed) if key.kind == "texts" else value
    return values


def _passes(key: Key, text: str) -> bool:
    try:
        key.check(text)
    except WheelferryError:
        return False
    return True
