"""Finds the library that is missing when a compiled module cannot be loaded."""

from __future__ import annotations

import re

from wheelferry_schemas.errors import UnfitError

_COMPILED = {"cryptography", "isal", "msgspec", "zstandard"}
_FOLDERS = re.compile(r"[/\\]")
_ENDS = (".so", ".pyd", ".dylib")
_ABSENT = re.compile(
    # glibc; musl; macOS
    r"^(?P<glibc>[^\s:/]+): cannot open shared object file"
    r"|^Error loading shared library (?P<musl>[^\s:]+):"
    r"|Library not loaded: (?P<macos>\S+)"
)
_PACKAGES = {
    "libgcc_s.so.1": "on Debian and Ubuntu libgcc-s1, elsewhere libgcc",
    "libstdc++.so.6": "on Debian and Ubuntu libstdc++6, elsewhere libstdc++",
}


def unfit_host(error: ImportError) -> UnfitError | None:
    """Return the error for a compiled module that could not be loaded, None for other errors."""
    if not (error.path or "").endswith(_ENDS) or isinstance(error, ModuleNotFoundError):
        return None
    folders = _FOLDERS.split(error.path or "")
    module = next(filter(_COMPILED.__contains__, folders), error.name or folders[-1])
    if match := _ABSENT.search(str(error)):
        library = next(filter(None, match.groups()))
        package = _PACKAGES.get(library, "the package that brings it")
        return UnfitError(
            f"this host has no {library}, which {module} needs to be loaded",
            hint=f"install {package}, with the package manager of this host",
        )
    return UnfitError(
        f"{module} cannot be loaded on this host: {error}",
        hint="wheelferry was installed for another kind of host: install it anew, for this one",
    )
