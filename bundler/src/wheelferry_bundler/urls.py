"""URLs as they may be shown and recorded: without credentials."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

_SECRET_FREE = {"git"}
"""User names that are not secrets: `git@host` is how forges spell 'anybody with a key'."""


def without_credentials(url: str) -> str:
    """Return `url` without user, password, query and fragment, any of which may hold a token."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")
    netloc = parts.netloc if host[0] in _SECRET_FREE else host[2]
    return parts._replace(netloc=netloc, query="", fragment="").geturl()


def file_name(url: str) -> str:
    """Return the last part of a URL's path, unquoted."""
    return unquote(urlsplit(url).path).rsplit("/", 1)[-1]
