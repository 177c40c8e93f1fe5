"""Installs one wheel, with the same result as `installer.install`.

The library's own loop spends a fifth of all time on finding a file's scheme and on rows of RECORD
that are not used. Only that loop is replaced here: scripts, their launchers and RECORD come from
the library. A test compares both results.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from installer.records import RecordEntry
from installer.utils import Scheme, parse_entrypoints, parse_metadata_file

from wheelferry_installer.install.wheel_destination import StagingDestination
from wheelferry_installer.wheel.verified_wheel import VerifiedWheel

if TYPE_CHECKING:
    # The library defines it for type checkers only.
    from installer.scripts import ScriptSection

_ENTRY_POINTS = "entry_points.txt"
_CACHE = "__pycache__"
_VERSIONED_PIP = re.compile(r"pip3\.[0-9]+")
_WRAPPER_ENDS = (".exe", "-script.py", ".pya")
"""What setuptools puts after the names of the scripts that it writes for entry points itself."""


def install_wheel(
    source: VerifiedWheel,
    destination: StagingDestination,
    metadata: Mapping[str, bytes],
    python: str,
) -> None:
    """Write a wheel's files and scripts, `metadata` into its .dist-info, and RECORD.

    `python` is the version that it is installed for, as in `3.12`.

    Compiled modules are left out: sources are compiled here. So are scripts that an entry point
    defines as well. Raises `MalformedError`.
    """
    root = _root_scheme(source)
    rows: list[tuple[Scheme, RecordEntry]] = []
    called_for: set[str] = set()
    if _ENTRY_POINTS in source.dist_info_filenames:
        for script in _scripts(source.read_dist_info(_ENTRY_POINTS), python):
            called_for.add(script[0])
            rows.append((Scheme("scripts"), destination.write_script(*script)))
    record = f"{source.dist_info_dir}/RECORD"
    data = f"{source.data_dir}/"
    for (path, _, _), stream, is_executable in source.get_contents():
        if path == record or (_CACHE in path and _CACHE in path.split("/")[:-1]):
            continue
        scheme, name = root, path
        if path.startswith(data):
            # The source has checked that it is one of the folders that the format allows.
            folder, _, name = path[len(data) :].partition("/")
            scheme = Scheme(folder)
            if scheme == "scripts" and _wrapped(name) in called_for:
                continue
        rows.append((scheme, destination.write_file(scheme, name, stream, is_executable)))
    for name, content in metadata.items():
        path = f"{source.dist_info_dir}/{name}"
        rows.append(
            (root, destination.write_file(root, path, BytesIO(content), is_executable=False))
        )
    rows.append((root, RecordEntry(record, None, None)))
    destination.finalize_installation(root, record, rows)


def _scripts(entry_points: str, python: str) -> Iterator[tuple[str, str, str, ScriptSection]]:
    """Yield the scripts of a wheel, with `pip3.12` as uv and pip write it.

    Wheels of pip name that script after the Python that built them, or leave it out.
    """
    for name, module, attribute, section in parse_entrypoints(entry_points):
        if section == "console" and _VERSIONED_PIP.fullmatch(name):
            continue
        yield name, module, attribute, section
        if section == "console" and name == "pip3":
            yield f"pip{python}", module, attribute, section


def _wrapped(script: str) -> str:
    """Return the entry point that a script starts if it was written for one."""
    end = next((end for end in _WRAPPER_ENDS if script.lower().endswith(end)), "")
    return script[: len(script) - len(end)]


def _root_scheme(source: VerifiedWheel) -> Scheme:
    wheel = parse_metadata_file(source.read_dist_info("WHEEL"))
    return Scheme("purelib" if wheel["Root-Is-Purelib"] == "true" else "platlib")
