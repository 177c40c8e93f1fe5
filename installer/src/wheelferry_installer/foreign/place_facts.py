"""Run by the interpreter that a place is for; prints where things go, and where it looks for them.

The text of this file is passed with `-c`; the answer is JSON.
"""

import json
import os
import site
import sys
import sysconfig

_PATHS = sysconfig.get_paths()
_VIRTUAL = sys.prefix != sys.base_prefix
_VERSION = "{}.{}".format(*sys.version_info)
_HEADERS = os.path.join(sys.prefix, "include", "site", f"python{_VERSION}")
_MARKER = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
json.dump(
    {
        "prefix": sys.prefix,
        "purelib": _PATHS["purelib"],
        "platlib": _PATHS["platlib"],
        "scripts": _PATHS["scripts"],
        "data": _PATHS["data"],
        "headers": _HEADERS if _VIRTUAL else _PATHS["include"],
        # Python leaves out of sys.path what is not there yet.
        "searched": [*sys.path, *site.getsitepackages()],
        "externally_managed": not _VIRTUAL and os.path.exists(_MARKER),
    },
    sys.stdout,
)
