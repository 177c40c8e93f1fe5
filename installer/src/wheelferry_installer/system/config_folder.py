"""Names the folders of this user's settings and state."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wheelferry_schemas.host_rules import user_folders


def config_folder() -> Path:
    """Return the folder of this user's policy."""
    return Path(user_folders.config_folder(os.environ, sys.platform, os.path.expanduser("~")))


def state_folder() -> Path:
    """Return the folder of the state that outlives a run."""
    is_root = sys.platform != "win32" and os.geteuid() == 0
    home = os.path.expanduser("~")
    return Path(user_folders.state_folder(os.environ, sys.platform, home, is_root=is_root))
