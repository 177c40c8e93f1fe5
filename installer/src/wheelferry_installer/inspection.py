"""Compares an environment with its receipt: every file has to be what was installed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wheelferry_installer.installed import digest_of, recorded_files, spelled
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.receipt import FOLDER, Receipt


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


def inspect(environment: Path, receipt: Receipt, *, whole: bool = True) -> Findings:
    """Hash every installed file and compare it with what was installed.

    Unless wheelferry made the `whole` environment, nothing in it counts as added.
    """
    changed, missing = set(), set()
    expected = dict(_expected(environment, receipt))
    links = {link.path: link.target for link in receipt.links}
    for path, digest in expected.items():
        file = environment / path
        if not file.is_file():
            missing.add(path)
        elif digest is not None and digest_of(file, digest) != digest:
            changed.add(path)
    for path, target in links.items():
        file = environment / path
        if not os.path.lexists(file):
            missing.add(path)
        elif not file.is_symlink() or os.readlink(file) != target:
            changed.add(path)
    present = (
        path.relative_to(environment).as_posix()
        for path in (environment.rglob("*") if whole else ())
        if "__pycache__" not in path.parts and (path.is_symlink() or path.is_file())
    )
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
        yield file.path, spelled("sha256", bytes.fromhex(file.sha256))
    for package in receipt.packages:
        yield package.record, spelled("sha256", bytes.fromhex(package.record_sha256))
        # A RECORD that cannot be read is told of by its own hash; its files are then unknown.
        with contextlib.suppress(MalformedError):
            for path, digest in recorded_files(environment, package.record):
                if path != package.record:
                    yield path, digest or None
