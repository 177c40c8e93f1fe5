"""Run by the interpreter that an environment is made for; builds it beside its final place.

The text of this file is passed with `-c`; the arguments are the folder to build in, the folder that
it will be moved to, and the prompt. All paths that `venv` writes into files are those of the
latter.
"""

import os
import sys
import types
import venv


class _Builder(venv.EnvBuilder):
    def replace_variables(self, text: str, context: types.SimpleNamespace) -> str:
        """Fill in activation scripts as if the environment lay at its final place."""
        moved = {
            name: value.replace(_STAGING, _FINAL) if isinstance(value, str) else value
            for name, value in vars(context).items()
        }
        return super().replace_variables(text, types.SimpleNamespace(**moved))


_STAGING, _FINAL, _PROMPT = sys.argv[1:]
_Builder(symlinks=os.name != "nt", with_pip=False, prompt=_PROMPT).create(_STAGING)
_PATH = os.path.join(_STAGING, "pyvenv.cfg")
with open(_PATH, encoding="utf-8") as file:
    _TEXT = file.read()
with open(_PATH, "w", encoding="utf-8") as file:
    file.write(_TEXT.replace(_STAGING, _FINAL))
