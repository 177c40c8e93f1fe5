"""Scripts and other files that go beside the environment's own: their names, and what they call.

entry_points.txt is checked before the `installer` library parses it, which resolves interpolations.
"""

from __future__ import annotations

import re
from configparser import ConfigParser
from configparser import Error as ConfigError

from installer.utils import SCHEME_NAMES

from wheelferry_schemas.receipt import FOLDER

_SECTIONS = ("console_scripts", "gui_scripts")
_SCRIPT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+ -]*")
_RESERVED = re.compile(
    r"(python[0-9.]*w?|(de)?activate(_this|\.[a-z]+)?)(\.exe|\.py|\.bat)?", re.IGNORECASE
)
_DOTTED = r"[^\W\d]\w*(\.[^\W\d]\w*)*"
_REFERENCE = re.compile(rf"{_DOTTED}[ \t]*:[ \t]*{_DOTTED}[ \t]*(\[[^%\n]*\])?")


def script_name_problem(name: str) -> str | None:
    """Return why a script may not have this name, None where it may."""
    if not _SCRIPT_NAME.fullmatch(name):
        return "is not the name of a script"
    if _RESERVED.fullmatch(name):
        return "is the name of a script that belongs to the environment itself"
    return None


def data_path_problem(path: str) -> str | None:
    """Return why a wheel's .data may not hold this path, None where it may."""
    scheme, _, rest = path.partition("/")
    if scheme not in SCHEME_NAMES or not rest:
        return "is in no folder that .data may have"
    if scheme == "scripts":
        return script_name_problem(rest)
    if ".dist-info/" in rest:
        return "brings another .dist-info"
    folder, _, name = rest.lower().partition("/")
    if scheme == "data" and (
        folder in ("pyvenv.cfg", FOLDER)
        or (folder in ("bin", "scripts") and _RESERVED.fullmatch(name))
    ):
        return "belongs to the environment itself"
    return None


def entry_point_problems(text: str) -> list[str]:
    """Return what is wrong with the scripts that an entry_points.txt calls for."""
    config = ConfigParser(delimiters="=", interpolation=None, strict=True)
    config.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        config.read_string(text)
    except ConfigError as error:
        return [f"entry_points.txt cannot be read: {type(error).__name__}"]
    problems = []
    if config.defaults():
        problems.append("entry_points.txt has a section DEFAULT")
    for section in _SECTIONS:
        for name, value in config.items(section) if config.has_section(section) else ():
            problem = script_name_problem(name)
            if problem:
                problems.append(f"entry point {name!r} {problem}")
            if not _REFERENCE.fullmatch(value):
                problems.append(f"entry point {name!r} does not name a function: {value!r}")
    return problems
