"""URLs for display and for the manifest: without credentials."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, unquote, urlsplit

from wheelferry_schemas.errors import MalformedError

_SECRET_FREE = {"git"}
"""User names that are not secrets: forges write `git@host` for everyone with a key."""
_USER = re.compile(r"(?<=://)(?!git@)[^/\s]+@")
_QUERY = re.compile(r"(\bhttps?://[^\s?#]+)\?[^\s#)>\"'`]+")
_PORTS = {"http": 80, "https": 443}


def without_credentials(url: str) -> str:
    """Return `url` without user, password, query and fragment, which may contain tokens."""
    parts = split_url(url)
    host = parts.netloc.rpartition("@")
    netloc = parts.netloc if host[0] in _SECRET_FREE else host[2]
    return parts._replace(netloc=netloc, query="", fragment="").geturl()


def with_login(url: str, user: str, password: str) -> str:
    """Return `url` with this login, which replaces any in it."""
    parts = split_url(url)
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}").geturl()


def redacted(text: str) -> str:
    """Return another program's output with the secrets in its URLs replaced."""
    return _QUERY.sub(r"\1?****", _USER.sub("****@", text))


def file_name(url: str) -> str:
    """Return the last part of a URL's path, unquoted."""
    return unquote(split_url(url).path).rsplit("/", 1)[-1]


def host(url: str) -> str:
    """Return the host of a URL for a message, with the port if the URL states one."""
    return split_url(url).netloc.rpartition("@")[2]


def origin(url: str) -> tuple[str, str, int | None]:
    """Return the origin of a URL (RFC 6454); a login is only sent to its own origin."""
    parts = split_url(url)
    return parts.scheme, parts.hostname or "", _port(parts)


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL; raises `MalformedError` for an invalid one."""
    try:
        return urlsplit(url)
    except ValueError as error:
        # The URL is not shown: it may contain a secret.
        raise MalformedError(
            f"a URL is not valid: {error}", hint="look for it in the lock and in the settings"
        ) from error


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        # Not a valid port number: such a URL has an origin of its own.
        return -1
