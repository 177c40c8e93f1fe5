"""Run by the interpreter that an environment is made for; builds it beside its final place.

The text of this file is passed with `-c`; the arguments are the folder to build in, the folder that
it will be moved to, and the prompt. All paths that `venv` writes into files are those of the
latter. The exit code is 7 where the disk is what failed.
"""

import errno
import os
import sys
import types
import venv
from typing import Any

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)


class _Builder(venv.EnvBuilder):
    def replace_variables(self, text: str, context: types.SimpleNamespace) -> str:
        """Fill in activation scripts as if the environment lay at its final place."""
        moved = {
            name: _final(value) if isinstance(value, str) else value
            for name, value in vars(context).items()
        }
        return super().replace_variables(text, types.SimpleNamespace(**moved))

    def symlink_or_copy(self, src: Any, dst: Any, relative_symlinks_ok: bool = False) -> None:
        """Link; copy only if links are not supported, not if one fails: the disk may be full."""
        if os.name != "nt":
            try:
                # This Python may lie in there too, and moves along.
                relative = relative_symlinks_ok or src.startswith(_STAGING + os.sep)
                os.symlink(os.path.relpath(src, os.path.dirname(dst)) if relative else src, dst)
                return
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
        super().symlink_or_copy(src, dst, relative_symlinks_ok)


def _final(text: str) -> str:
    """Return a text with the paths that hold when all is moved."""
    return text.replace(_STAGING, _FINAL).replace(os.path.realpath(_STAGING), _FINAL)


_STAGING, _FINAL, _PROMPT = sys.argv[1:]
try:
    _Builder(symlinks=os.name != "nt", with_pip=False, prompt=_PROMPT).create(_STAGING)
    _PATH = os.path.join(_STAGING, "pyvenv.cfg")
    with open(_PATH, encoding="utf-8") as file:
        _TEXT = file.read()
    with open(_PATH, "w", encoding="utf-8") as file:
        file.write(_final(_TEXT))
except OSError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(7)
