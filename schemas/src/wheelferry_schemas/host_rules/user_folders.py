"""Where wheelferry's own files lie on a host, the same on both sides."""

from __future__ import annotations

from collections.abc import Mapping

SYSTEM_FOLDER = "/etc/wheelferry"
"""Where root keeps the policy for all users."""
_NAME = "wheelferry"
_APPLE = "Library/Application Support"


def config_folder(environment: Mapping[str, str], platform: str, home: str) -> str:
    """Return the folder of a user's settings.

    `platform` is `sys.platform`. As in the XDG specification, an empty or relative variable counts
    as unset: the current folder must not decide who is trusted.
    """
    if platform == "win32":
        return f"{environment.get('APPDATA') or home}/{_NAME}"
    if platform == "darwin":
        return f"{home}/{_APPLE}/{_NAME}"
    return f"{_absolute(environment, 'XDG_CONFIG_HOME') or f'{home}/.config'}/{_NAME}"


def state_folder(
    environment: Mapping[str, str], platform: str, home: str, *, is_root: bool = False
) -> str:
    """Return the folder of what wheelferry remembers for a user, or for the host if it is root."""
    if platform == "win32":
        return f"{environment.get('LOCALAPPDATA') or home}/{_NAME}"
    if platform == "darwin":
        return f"{home}/{_APPLE}/{_NAME}"
    chosen = _absolute(environment, "XDG_STATE_HOME")
    return f"{chosen or ('/var/lib' if is_root else f'{home}/.local/state')}/{_NAME}"


def _absolute(environment: Mapping[str, str], variable: str) -> str | None:
    value = environment.get(variable, "")
    return value.rstrip("/") if value.startswith("/") else None
