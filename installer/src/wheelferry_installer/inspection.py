"""Compares an environment with its receipt: every file has to be what was installed."""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from installer.records import InvalidRecordEntry, parse_record_file

from wheelferry_schemas.receipt import FOLDER, Receipt

_CHUNK = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Paths relative to the environment that are not as the receipt says.

    `added` files are nobody's; compiled modules do not count, Python makes those itself.
    """

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether everything that was installed is as it was."""
        return not (self.changed or self.missing)


def inspect(environment: Path, receipt: Receipt) -> Findings:
    """Hash every installed file and compare it with what was installed."""
    changed, missing = set(), set()
    expected = dict(_expected(environment, receipt))
    for path, digest in expected.items():
        file = environment / path
        if not file.is_file():
            missing.add(path)
        elif digest is not None and _digest(file, digest.partition("=")[0]) != digest:
            changed.add(path)
    present = (
        path.relative_to(environment).as_posix()
        for path in environment.rglob("*")
        if "__pycache__" not in path.parts and (path.is_symlink() or path.is_file())
    )
    links = {"bin/python", "bin/python3", "lib64", f"bin/python{receipt.python[:4].rstrip('.')}"}
    added = {
        path
        for path in present
        if path not in expected and path not in links and not path.startswith(f"{FOLDER}/")
    }
    return Findings(
        changed=tuple(sorted(changed)), missing=tuple(sorted(missing)), added=tuple(sorted(added))
    )


def _expected(environment: Path, receipt: Receipt) -> Iterator[tuple[str, str | None]]:
    """Yield every file that was installed, with its hash as RECORD spells it."""
    for file in receipt.files:
        yield file.path, _spelled(file.sha256)
    for package in receipt.packages:
        yield package.record, _spelled(package.record_sha256)
        site_packages = posixpath.dirname(posixpath.dirname(package.record))
        try:
            text = (environment / package.record).read_text(encoding="utf-8")
            rows = list(parse_record_file(text.splitlines()))
        except (OSError, UnicodeDecodeError, InvalidRecordEntry):
            # Told of as missing or changed by its own hash; its files are then unknown.
            continue
        for path, digest, _ in rows:
            relative = posixpath.normpath(posixpath.join(site_packages, path))
            if relative != package.record:
                yield relative, digest or None


def _spelled(sha256: str) -> str:
    encoded = base64.urlsafe_b64encode(bytes.fromhex(sha256)).rstrip(b"=").decode("ascii")
    return f"sha256={encoded}"


def _digest(path: Path, algorithm: str) -> str | None:
    try:
        digest = hashlib.new(algorithm)
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except (OSError, ValueError):
        return None
    encoded = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode("ascii")
    return f"{algorithm}={encoded}"
