"""Reads the files of a policy.

A file counts only if no one but this user and root can have written it. A file that exists but
cannot be read or trusted is an error, never an absence: a policy that is silently skipped would
accept what it excludes.
"""

from __future__ import annotations

import os
import shlex
import stat
import sys
from pathlib import Path

from wheelferry_schemas.errors import MalformedError, TrustError
from wheelferry_schemas.host_rules.writers import OTHERS, Kind, why_not_believed

# Without O_NONBLOCK, opening a pipe would block until something writes to it.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def read_text(path: Path) -> str | None:
    """Return the text of a policy's file, None if there is none.

    Raises `TrustError` if the file or its folder cannot be read or trusted, and `MalformedError` if
    it is not text.
    """
    if not is_there(path):
        return None
    try:
        descriptor = os.open(path, _FLAGS)
        try:
            _refuse_writers(path, os.fstat(descriptor), "file")
            for folder in (path.parent, Path(os.path.realpath(path)).parent):
                _refuse_writers(folder, folder.stat(), "folder")
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read()
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError(
            f"{path} is not a text file", hint="restore it from a copy, or write it anew"
        ) from error


def is_there(path: Path) -> bool:
    """Return whether anything exists at `path`, dangling links included.

    Raises `TrustError` if that cannot be determined: a folder above is a dangling link or may not
    be searched.
    """
    for place in (path, *path.parents):
        try:
            place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise _unreadable(path, error) from error
        if place == path:
            return True
        if not place.is_dir():
            raise TrustError(
                f"{place} is not a folder, so the policy of this host is unknown",
                hint=f"see what it is: ls -ld {shlex.quote(os.fspath(place))}",
            )
        return False
    return False


def _refuse_writers(path: Path, status: os.stat_result, kind: Kind) -> None:
    user = os.geteuid() if hasattr(os, "geteuid") else status.st_uid
    mode = status.st_mode
    if sys.platform == "win32" or (kind == "folder" and mode & stat.S_ISVTX):
        # Modes mean nothing on Windows; and in `/tmp` no one can replace another user's file.
        mode &= ~OTHERS
    doubt = why_not_believed(mode, status.st_uid, user=user, kind=kind)
    if doubt is None:
        return
    quoted = shlex.quote(os.fspath(path))
    hint = f"see what it is: ls -ld {quoted}"
    if doubt.cause == "mode":
        hint = f"look at what is in it; if all of that is yours: chmod go-w {quoted}"
    elif doubt.cause == "owner":
        hint = (
            f"look at what is in it; if it is right, make it yours or root's: chown root {quoted}"
        )
    raise TrustError(f"{path} {doubt.text}, so it cannot be trusted", hint=hint)


def _unreadable(path: Path, error: OSError) -> TrustError:
    return TrustError(
        f"{path} cannot be read, so the policy of this host is unknown: {error.strerror}",
        hint=f"see what it is: ls -ld {shlex.quote(os.fspath(path))}",
    )
