"""Run by the interpreter that modules are installed for; compiles those that standard input names.

The text of this file is passed with `-c`; the arguments are the folder that the modules lie in, the
folder that it will be moved to, and the process that waits for the end of this one. What does not
compile stays as it is: some modules are not meant for every Python.
"""

import compileall
import os
import signal
import sys
import warnings

_STAGING, _FINAL, _PARENT = sys.argv[1:]
_PR_SET_PDEATHSIG = 1
if sys.platform == "linux":
    # Nobody may go on writing when the installation was killed.
    try:
        import ctypes
    except ImportError:
        pass
    else:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(_PARENT):
            sys.exit(1)
warnings.simplefilter("ignore")
for _PATH in os.fsdecode(sys.stdin.buffer.read()).splitlines():
    _FOLDER = os.path.join(_FINAL, os.path.dirname(_PATH))
    try:
        compileall.compile_file(os.path.join(_STAGING, _PATH), _FOLDER, quiet=2)
    except Exception:  # noqa: BLE001, S112 - a compiler has many ways to give up
        continue
