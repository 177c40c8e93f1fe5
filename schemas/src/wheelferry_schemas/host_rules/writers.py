"""Who can write to a file or folder, and whether it is trusted: pure, from what `lstat` says.

A file is trusted if it belongs to this user or to root, and no one else can write to it. The same
holds for a folder; its parent may be shared if it is sticky (`/tmp`), since then only the owner can
replace the folder.

The group counts as others, even the private group of a user, as with umask 002: its number does not
tell whether it has other members, now or later. Folders that wheelferry makes are never writable by
their group, so such a umask is no obstacle.
"""

from __future__ import annotations

import stat
from typing import Literal, NamedTuple

ROOT = 0
OTHERS = stat.S_IWGRP | stat.S_IWOTH
"""The bits of a mode that let others write."""
Kind = Literal["file", "folder"]


class Doubt(NamedTuple):
    """Why a file or folder is not trusted: `text` for the message, `cause` for what helps."""

    cause: Literal["kind", "owner", "mode"]
    text: str


def why_not_believed(mode: int, owner: int, *, user: int, kind: Kind) -> Doubt | None:
    """Return why a file or folder is not trusted, None if it is.

    `mode` is the whole `st_mode` of `lstat`, `owner` the user that it belongs to, `user` this one.
    """
    if stat.S_ISLNK(mode):
        return Doubt("kind", "is a symbolic link")
    if not (stat.S_ISDIR(mode) if kind == "folder" else stat.S_ISREG(mode)):
        return Doubt("kind", f"is not a {'folder' if kind == 'folder' else 'plain file'}")
    if owner not in (user, ROOT):
        return Doubt("owner", f"belongs to another user (uid {owner})")
    if mode & OTHERS:
        return Doubt("mode", f"is writable by others (mode {stat.S_IMODE(mode):04o})")
    return None


def is_shared(mode: int) -> bool:
    """Return whether everyone may create files in a folder of this mode, as in `/tmp`."""
    return bool(mode & stat.S_IWOTH)
