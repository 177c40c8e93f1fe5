"""Finds the login for a URL.

A login is looked for in the URL itself, at an index of the same origin (in its URL, or in the
variables `UV_INDEX_<NAME>_USERNAME` and `_PASSWORD`), in netrc, and, once a host has refused a
request, in the keyring. It is never sent to an origin other than its own.
"""

from __future__ import annotations

import importlib
import netrc
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from wheelferry_bundler.model.locations import Index
from wheelferry_bundler.model.urls import origin, with_login, without_credentials

_KEYRING_SECONDS = 60
_PROVIDERS = ("UV_KEYRING_PROVIDER", "PIP_KEYRING_PROVIDER")


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and a password."""

    user: str
    password: str = field(repr=False)


class Logins:
    """Finds the login for a URL; safe to use from several threads."""

    def __init__(
        self, indexes: Sequence[Index] = (), environ: Mapping[str, str] = os.environ
    ) -> None:
        self._environ = environ
        self._indexes = sorted(indexes, key=lambda index: -len(index.url))
        self._asked: dict[tuple[str, str, int | None], Login | None] = {}
        self._lock = threading.Lock()

    def find(self, url: str) -> Login | None:
        """Return the login for a URL without using the keyring."""
        own = _of_url(url)
        if own and own.password:
            return own
        known = self._of_index(url) or own
        if known and known.password:
            return known
        listed = _of_netrc(url)
        if listed and (known is None or listed.user == known.user):
            return listed
        return self._asked.get(origin(url)) or known

    def added_to(self, url: str) -> str:
        """Return a URL with its login, for programs that cannot find it themselves."""
        login = self.find(url)
        return with_login(url, login.user, login.password) if login else url

    def ask_keyring(self, url: str) -> Login | None:
        """Return the keyring's login for a URL, which `find` returns from then on."""
        disabled = any(self._environ.get(name) == "disabled" for name in _PROVIDERS)
        with self._lock:
            if origin(url) not in self._asked and not disabled:
                known = self.find(url)
                index = next((i for i in self._indexes if origin(i.url) == origin(url)), None)
                services = [urlsplit(url).netloc.rpartition("@")[2]]
                if index is not None:
                    services.insert(0, without_credentials(index.url))
                self._asked[origin(url)] = _from_keyring(services, known.user if known else None)
            return self._asked.get(origin(url))

    def _of_index(self, url: str) -> Login | None:
        """Return the login of an index of the same origin, preferably the nearest path."""
        logins = [
            (index, login)
            for index in self._indexes
            if origin(index.url) == origin(url)
            and (login := self._of_variables(index) or _of_url(index.url))
        ]
        path = urlsplit(url).path
        nearest = (login for index, login in logins if path.startswith(urlsplit(index.url).path))
        return next(nearest, logins[0][1] if logins else None)

    def _of_variables(self, index: Index) -> Login | None:
        if index.name is None:
            return None
        prefix = "UV_INDEX_" + re.sub(r"[^A-Z0-9]", "_", index.name.upper())
        user = self._environ.get(f"{prefix}_USERNAME")
        password = self._environ.get(f"{prefix}_PASSWORD")
        if user is None and password is None:
            return None
        own = _of_url(index.url)
        return Login(user or (own.user if own else ""), password or "")


def _of_url(url: str) -> Login | None:
    parts = urlsplit(url)
    if parts.username is None:
        return None
    return Login(unquote(parts.username), unquote(parts.password or ""))


def _of_netrc(url: str) -> Login | None:
    """Return the login in netrc, found as requests does, which takes too long to import."""
    stated = os.environ.get("NETRC")
    for path in map(os.path.expanduser, [stated] if stated else ["~/.netrc", "~/_netrc"]):
        if not os.path.exists(path):
            continue
        try:
            found = netrc.netrc(path).authenticators(urlsplit(url).hostname or "")
        except (netrc.NetrcParseError, OSError, ValueError):
            return None
        return Login(found[0] or found[1] or "", found[2] or "") if found else None
    return None


def _from_keyring(services: Sequence[str], user: str | None) -> Login | None:
    """Return the login from the keyring library, or from its command, as pip does."""
    for service in services:
        try:
            keyring = importlib.import_module("keyring")
        except ImportError:
            login = _from_keyring_command(service, user)
        else:
            login = _from_keyring_library(keyring, service, user)
        if login is not None:
            return login
    return None


def _from_keyring_library(keyring: object, service: str, user: str | None) -> Login | None:
    try:
        found = keyring.get_credential(service, user)  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - a backend that is out of order must not stop a download
        return None
    return Login(found.username, found.password) if found and found.password else None


def _from_keyring_command(service: str, user: str | None) -> Login | None:
    command = shutil.which("keyring")
    if command is None or user is None:
        return None
    try:
        run = subprocess.run(
            [command, "get", service, user],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_KEYRING_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    password = run.stdout.decode(errors="replace").strip("\r\n")
    return Login(user, password) if run.returncode == 0 and password else None
