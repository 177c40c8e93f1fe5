"""Checks the names and targets of scripts, and of other files beside the environment's own.

entry_points.txt is checked before the `installer` library parses it, which resolves interpolations.
"""

from __future__ import annotations

import re
from configparser import ConfigParser
from configparser import Error as ConfigError

from installer.utils import SCHEME_NAMES

from wheelferry_schemas.host_rules.file_names import spelling_key
from wheelferry_schemas.receipt import FOLDER

_HOW_IT_STARTS = "would change how the Python that it lies beside starts"
_SECTIONS = ("console_scripts", "gui_scripts")
_SCRIPT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+ -]*")
_OWN = re.compile(r"(python[0-9.]*t?w?(_d)?|pypy[0-9.]*w?|(de)?activate(_this)?)(\.[a-z0-9]+)*")
"""The interpreter, what switches to it, and what Windows reads beside it (`python.exe.local`)."""
_STEERING = re.compile(r"pyvenv\.cfg|pybuilddir\.txt|.*\._pth|python[0-9]+t?\.zip|.*\.dll")
"""What an interpreter looks for in its own folder or the one above: settings that say where modules
are, modules, and on Windows every library that it loads.
"""
_BUILD_TREE = ["modules", "setup.local"]
"""Beside an interpreter, it says that this has not been installed yet."""
_DOTTED = r"[^\W\d]\w*(\.[^\W\d]\w*)*"
_REFERENCE = re.compile(rf"{_DOTTED}[ \t]*:[ \t]*{_DOTTED}[ \t]*(\[[^%\n]*\])?")


def script_name_problem(name: str) -> str | None:
    """Return why a script may not have this name, None if it may."""
    if not _SCRIPT_NAME.fullmatch(name):
        return "is not the name of a script"
    if _STEERING.fullmatch(_as_found(name)):
        return _HOW_IT_STARTS
    if _OWN.fullmatch(_as_found(name)):
        return "is the name of a script that belongs to the environment itself"
    return None


def data_path_problem(path: str) -> str | None:
    """Return why a wheel's .data may not hold this path, None if it may."""
    scheme, _, rest = path.partition("/")
    if scheme not in SCHEME_NAMES or not rest:
        return "is in no folder that .data may have"
    if scheme == "scripts":
        return script_name_problem(rest)
    if ".dist-info/" in rest:
        return "brings another .dist-info"
    return _beside_problem(rest) if scheme == "data" else None


def _beside_problem(path: str) -> str | None:
    """Return why this path below the root of an environment is not allowed."""
    folder, *below = (_as_found(part) for part in path.split("/"))
    in_scripts = below if folder in {"bin", "scripts"} else [""]
    # On Windows an interpreter outside an environment is in the root.
    in_root = folder if not below and folder.endswith(".exe") else ""
    if folder == FOLDER or _OWN.fullmatch(in_root) or _OWN.fullmatch(in_scripts[0]):
        return "belongs to the environment itself"
    zipped = len(below) == 1 and folder in {"lib", "lib64", "dlls"} and below[0].endswith(".zip")
    if (
        _STEERING.fullmatch(folder)
        or _STEERING.fullmatch(in_scripts[0])
        or in_scripts[:2] == _BUILD_TREE
        or (zipped and _STEERING.fullmatch(below[0]))
    ):
        return _HOW_IT_STARTS
    return None


def _as_found(name: str) -> str:
    """Return a name as compared by file systems that fold case and strip trailing dots."""
    return spelling_key(name).rstrip(". ")


def entry_point_problems(text: str) -> list[str]:
    """Return what is wrong with the scripts that an entry_points.txt defines."""
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
