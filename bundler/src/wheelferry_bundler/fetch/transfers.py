"""Transfers files over HTTP: resumed after interruptions, retried where that may help.

Logins are only sent to their own origin, also after a redirect. Messages show only the host of a
URL.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, TypeVar

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.structures import CaseInsensitiveDict

from wheelferry_bundler.fetch.certificates import tls_context
from wheelferry_bundler.fetch.logins import Logins
from wheelferry_bundler.model.urls import host

CHUNK = 2**18
"""How much is read at once; at most this is lost when a connection breaks."""
TIMEOUT = (15, 60)
"""Seconds to connect, and to wait for the next chunk."""
PAUSES = (0.5, 1.5, 4.0)
"""Seconds before each further attempt."""
MAX_PAGE_SIZE = 64 * 2**20
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_HINTS = {
    403: "the index refuses this login or this host",
    404: "the file is gone from the index: lock the project again",
    407: "the proxy asks for a login: HTTPS_PROXY=http://user:password@host:port",
}
_NO_LOGIN = (
    "the index asks for a login: put it into ~/.netrc, into the keyring, or into "
    "UV_INDEX_<NAME>_USERNAME and UV_INDEX_<NAME>_PASSWORD"
)
_WRONG_LOGIN = "the index refuses the login that was sent: check ~/.netrc and UV_INDEX_<NAME>_*"

T = TypeVar("T")

UNREACHABLE = "cannot be reached"
"""The end of the message about a host that does not answer."""


class AttemptError(Exception):
    """A failed transfer: the reason, to be shown after a file name, and a hint."""

    def __init__(self, why: str, hint: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


class WrongSizeError(AttemptError):
    """A host that sends more than the locked size: not the locked file."""


class _PassingError(AttemptError):
    """A temporary problem."""


class _SilentError(_PassingError):
    """The host does not answer at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer: the URL after redirects, the media type and the content."""

    url: str
    media_type: str
    data: bytes

    @property
    def text(self) -> str:
        """The content as text."""
        return self.data.decode("utf-8", "replace")


class Transfers:
    """Connections to any number of hosts, for any number of threads.

    A host that has not answered any attempt is not tried again. Requests for `https:` URLs raise
    `UsageError` where a variable names certificates that cannot be read.
    """

    def __init__(self, logins: Logins) -> None:
        self._logins = logins
        self._sessions: list[requests.Session] = []
        self._own = threading.local()
        self._silent_hosts: set[str] = set()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Make all transfers end soon, with an `AttemptError`."""
        self._stopped.set()

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions:
            session.close()

    def receive(
        self, url: str, file: BinaryIO, size: int | None, on_progress: Callable[[int], None]
    ) -> None:
        """Append the missing part of a URL's content, whose size is `size` if known, to `file`.

        `on_progress` is called repeatedly with the size of `file`. Raises `AttemptError`. The
        caller has to check the content.
        """
        self._persist(url, lambda: self._receive(url, file, size, on_progress))

    def page(self, url: str, accept: str) -> Page | None:
        """Return a page, or None where there is none; raises `AttemptError`."""
        return self._persist(url, lambda: self._page(url, accept))

    def page_at_once(self, url: str, accept: str) -> Page | None:
        """Return a page without retries, for optional information."""
        return self._page(url, accept)

    def _persist(self, url: str, attempt: Callable[[], T]) -> T:
        for pause in (*PAUSES, None):
            if host(url) in self._silent_hosts:
                raise _unreachable(url)
            try:
                return attempt()
            except _PassingError as problem:
                if pause is None:
                    if isinstance(problem, _SilentError):
                        # Other transfers must not wait for that host again.
                        self._silent_hosts.add(host(url))
                    raise
                self._stopped.wait(pause)
        raise AssertionError

    def _receive(
        self, url: str, file: BinaryIO, size: int | None, on_progress: Callable[[int], None]
    ) -> None:
        start = file.seek(0, os.SEEK_END)
        if size is not None and start == size:
            return
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with self._answer(url, headers) as answer:
            if answer.status_code == 416:
                # According to the host, nothing is left to fetch.
                return
            _check_status(answer)
            if answer.status_code != 206:
                # The host does not support ranges: start over.
                file.truncate(0)
                file.seek(0)
            try:
                for chunk in answer.iter_content(CHUNK):
                    self._check_stopped()
                    file.write(chunk)
                    if size is not None and file.tell() > size:
                        file.truncate(0)
                        raise WrongSizeError(
                            f"{host(url)} sends more than the {size} bytes that the lock states",
                            "the file was changed after the lock was made: find out why",
                        )
                    on_progress(file.tell())
            except requests.RequestException as error:
                raise _PassingError(
                    f"the connection to {host(url)} kept breaking",
                    "run the same command again to resume",
                ) from error

    def _page(self, url: str, accept: str) -> Page | None:
        with self._answer(url, {"Accept": accept}) as answer:
            if answer.status_code in (404, 410):
                return None
            _check_status(answer)
            data = b""
            try:
                for chunk in answer.iter_content(CHUNK):
                    self._check_stopped()
                    data += chunk
                    if len(data) > MAX_PAGE_SIZE:
                        raise AttemptError(f"{host(url)} answers with an endless page")
            except requests.RequestException as error:
                raise _PassingError(f"the connection to {host(url)} broke off") from error
            return Page(
                url=answer.url,
                media_type=answer.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
                data=data,
            )

    @contextmanager
    def _answer(self, url: str, headers: dict[str, str]) -> Iterator[requests.Response]:
        """Request a URL, again with the keyring's login where the first login is refused."""
        with self._get(url, headers) as first:
            if first.status_code != 401 or not self._logins.ask_keyring(first.url):
                yield first
                return
        with self._get(url, headers) as second:
            yield second

    def _get(self, url: str, headers: dict[str, str]) -> requests.Response:
        self._check_stopped()
        try:
            return self._session().get(url, headers=headers, stream=True, timeout=TIMEOUT)
        except requests.exceptions.SSLError as error:
            raise AttemptError(
                f"the certificate of {host(url)} is not accepted",
                "if a certificate authority of your own signed it, name its certificate in "
                "SSL_CERT_FILE",
            ) from error
        except requests.exceptions.ProxyError as error:
            raise _PassingError(
                f"the proxy to {host(url)} cannot be used", "check HTTPS_PROXY and NO_PROXY"
            ) from error
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _unreachable(url) from error
        except requests.RequestException as error:
            raise AttemptError(f"{host(url)}: {type(error).__name__}") from error

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise AttemptError("given up, since others failed")

    def _session(self) -> requests.Session:
        if not hasattr(self._own, "session"):
            self._own.session = _Session(self._logins, lambda: self._tls)
            self._sessions.append(self._own.session)
        session: requests.Session = self._own.session
        return session

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return tls_context()


class _Session(requests.Session):
    """A session that uses our logins, and the certificates of `tls_context`."""

    def __init__(self, logins: Logins, tls: Callable[[], ssl.SSLContext]) -> None:
        super().__init__()
        self.auth = _OwnLogins(logins)
        self.headers["User-Agent"] = "wheelferry"
        self._tls = tls

    def get_adapter(self, url: str) -> BaseAdapter:
        adapter = super().get_adapter(url)
        if not isinstance(adapter, _Adapter) and url.lower().startswith("https:"):
            # Read late: certificates take longer to load than a run that has all files cached.
            adapter = _Adapter(self._tls())
            self.mount("https://", adapter)
        return adapter

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        del response
        prepared_request.headers.pop("Authorization", None)
        prepared_request.prepare_auth(self.auth)


class _OwnLogins(AuthBase):
    def __init__(self, logins: Logins) -> None:
        self._logins = logins

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        login = self._logins.find(r.url or "")
        return HTTPBasicAuth(login.user, login.password)(r) if login else r


class _Adapter(HTTPAdapter):
    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._tls, **kwargs)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        # requests would add its own certificates to those of the context.
        del url, verify, cert
        conn.cert_reqs = "CERT_REQUIRED"


def _unreachable(url: str) -> _SilentError:
    return _SilentError(
        f"{host(url)} {UNREACHABLE}",
        "check the network, and the proxy (HTTPS_PROXY) if there is one",
    )


def _check_status(answer: requests.Response) -> None:
    status = answer.status_code
    if status in (200, 206):
        return
    hint = _HINTS.get(status)
    if status == 401:
        hint = _WRONG_LOGIN if "Authorization" in _sent(answer) else _NO_LOGIN
    kind = _PassingError if status in _PASSING else AttemptError
    raise kind(f"{host(answer.url)} answers {status} {answer.reason or ''}".rstrip(), hint)


def _sent(answer: requests.Response) -> CaseInsensitiveDict[str]:
    return answer.request.headers
