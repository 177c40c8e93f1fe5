"""Compares an environment with its receipt: every file must be what was installed.

Reading all files of a large environment takes a third as long as installing it. So a comparison
that is not `thorough` trusts a file that has the size in RECORD and whose `st_ctime`, which no
program can set, is not later than the receipt. If an environment was copied, restored or given to
another user, or if a clock was set, more files are read; the result is the same.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wheelferry_installer.environment.distributions import digest_of, recorded_rows
from wheelferry_installer.wheel.record import spell
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.errors import MalformedError, TransferError
from wheelferry_schemas.fields import parse_timestamp
from wheelferry_schemas.receipt import FILE_NAME, FOLDER, Receipt

_CACHE = "__pycache__"
_OWN = {f"{FOLDER}/{FILE_NAME}", f"{FOLDER}/{layout.MANIFEST}"}
_SIGNATURES = f"{FOLDER}/signatures/"
_NANOSECONDS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Paths relative to the environment that are not as the receipt says.

    `added` files belong to no package; modules that Python compiled are not counted. `seen` are all
    paths that exist.
    """

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    seen: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def intact(self) -> bool:
        """Whether everything that was installed is as it was."""
        return not (self.changed or self.missing)


def inspect(
    environment: Path, receipt: Receipt, *, whole: bool = True, thorough: bool = True
) -> Findings:
    """Compare every installed file with what was installed.

    Unless wheelferry made the `whole` environment, nothing in it counts as added. Raises
    `TransferError` if a folder cannot be listed.
    """
    links = {link.path: link.target for link in receipt.links}
    expected = dict(_expected(environment, receipt, links))
    present = dict(_statuses(environment)) if whole else _present(environment, {*expected, *links})
    begun = parse_timestamp(receipt.installed) * _NANOSECONDS
    untouched = range(0) if thorough else range(begun, receipt.written_ns)
    changed = [
        path
        for path, row in expected.items()
        if (status := present.get(path)) and not _is_as(environment, path, status, row, untouched)
    ]
    for path, target in links.items():
        if path in present and _leads_to(environment / path) != target:
            changed.append(path)
    listed = expected.keys() | links.keys()
    added = (
        path
        for path in (present.keys() - listed if whole else ())
        if path not in _OWN and not path.startswith(_SIGNATURES)
    )
    return Findings(
        changed=tuple(sorted(changed)),
        missing=tuple(sorted(listed - present.keys())),
        added=tuple(sorted(added)),
        seen=frozenset(present),
    )


def names_in(folder: Path) -> set[str]:
    """Return all paths below a folder except modules that Python compiled.

    Links are not followed. Raises `TransferError` if a folder cannot be listed.
    """
    return {path for path, _ in _entries(folder)}


def _entries(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    root = os.fspath(folder)
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            with os.scandir(f"{root}/{below}") as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        yield below + entry.name, entry
                    elif entry.name != _CACHE:
                        pending.append(f"{below}{entry.name}/")
        except FileNotFoundError:
            # It was removed just now.
            continue
        except OSError as error:
            raise TransferError(
                f"{root}/{below} cannot be listed: {error.strerror}",
                hint="run this as the user that the environment belongs to",
            ) from error


def _statuses(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    for path, entry in _entries(folder):
        # There are many files: create nothing for each of them.
        try:
            yield path, entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            # It was removed just now.
            continue


def _present(environment: Path, paths: set[str]) -> dict[str, os.stat_result]:
    """Return those of the paths that are there."""
    present = {}
    for path in paths:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            present[path] = (environment / path).lstat()
    return present


def _is_as(
    root: Path, path: str, status: os.stat_result, row: tuple[str, str], untouched: range
) -> bool:
    """Return whether a file is what was installed; one last changed in `untouched` is not read."""
    digest, size = row
    if not stat.S_ISREG(status.st_mode) or (size and size != str(status.st_size)):
        return False
    # On Windows `st_ctime` is the time of creation.
    if max(status.st_ctime_ns, status.st_mtime_ns) in untouched:
        return True
    return not digest or digest_of(root / path, digest) == digest


def _leads_to(path: Path) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _expected(
    environment: Path, receipt: Receipt, links: Mapping[str, str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield every file that was installed, with hash and size as in RECORD."""
    for file in receipt.files:
        yield file.path, (spell("sha256", bytes.fromhex(file.sha256)), "")
    for package in receipt.packages:
        record = _followed(package.record, links)
        digest = spell("sha256", bytes.fromhex(package.record_sha256))
        # A RECORD that cannot be read is told of by its own hash; its files are then unknown.
        with contextlib.suppress(MalformedError):
            for path, *row in recorded_rows(environment, record):
                yield path, (row[0], row[1])
        yield record, (digest, "")


def _followed(path: str, links: Mapping[str, str]) -> str:
    """Return where a path leads through a link of the environment's own, such as `lib64`."""
    first, _, rest = path.partition("/")
    return posixpath.normpath(posixpath.join(links[first], rest)) if first in links else path
