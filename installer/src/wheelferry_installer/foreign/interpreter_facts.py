"""Run by the interpreter that is asked about; prints what it is as JSON.

Nothing of wheelferry is importable there: this file is run by its path, and `packaging` is loaded
from the path in the first argument without putting that folder on `sys.path`.
"""

import importlib.util
import json
import os
import platform
import sys
import sysconfig


def _load_packaging(folder: str) -> None:
    spec = importlib.util.spec_from_file_location(
        "packaging", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["packaging"] = module
    spec.loader.exec_module(module)


def _base_executable() -> str:
    """Return the interpreter behind a virtual environment, which may be gone tomorrow."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    if sys.prefix != sys.base_prefix and os.path.dirname(base) == os.path.dirname(sys.executable):
        # Before Python 3.11, such an interpreter took itself for its base.
        return os.path.realpath(base)
    return base


def _scheme_paths() -> "dict[str, str]":
    """Return where things go in a virtual environment, relative to its root."""
    names = sysconfig.get_scheme_names()
    scheme = "venv" if "venv" in names else "nt" if os.name == "nt" else "posix_prefix"
    root = os.path.join(os.sep, "root")
    variables = dict.fromkeys(("base", "platbase", "installed_base", "installed_platbase"), root)
    paths = sysconfig.get_paths(scheme, variables)
    return {
        name: os.path.relpath(paths[name], root).replace(os.sep, "/")
        for name in ("purelib", "platlib", "scripts", "data")
    }


def _markers() -> "dict[str, str]":
    version = sys.implementation.version
    kind = "" if version.releaselevel == "final" else version.releaselevel[0] + str(version.serial)
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": ".".join(map(str, version[:3])) + kind,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def _tags() -> "list[str] | None":
    """Return the wheel tags that fit; None before Python 3.9, for which `packaging` is too new."""
    if sys.version_info < (3, 9):  # noqa: UP036 - other Pythons run this than the installer
        return None
    _load_packaging(sys.argv[1])
    from packaging import tags

    return [str(tag) for tag in tags.sys_tags()]


def _main() -> None:
    json.dump(
        {
            "executable": sys.executable,
            "base_executable": _base_executable(),
            "paths": _scheme_paths(),
            "libc": " ".join(platform.libc_ver()).strip(),
            "markers": _markers(),
            "tags": _tags(),
            "abi": "cp{}{}{}".format(*sys.version_info[:2], getattr(sys, "abiflags", "")),
            "platform": sysconfig.get_platform(),
        },
        sys.stdout,
    )


_main()
