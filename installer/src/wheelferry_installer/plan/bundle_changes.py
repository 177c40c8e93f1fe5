"""What a bundle has that another has not, target by target; pure comparison of two manifests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from wheelferry_installer.plan.package_changes import described, differing, tallied
from wheelferry_schemas.bundle.manifest import Manifest
from wheelferry_schemas.display import count


class BundleChange(NamedTuple):
    """A package or a Python of a target that comes, goes, or comes as another one.

    `kind` is `package` or `python`; `old` and `new` are versions, of a Python names of archives.
    """

    target: str
    kind: str
    name: str
    old: str | None
    new: str | None

    @property
    def line(self) -> str:
        """How a person is told."""
        same = "version" if self.kind == "package" else "name"
        return described(
            f"{self.target}: {self.name}", self.old, self.new, same=f"same {same}, other file"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two manifests, neither of them verified, and all that is different in the second."""

    before: Manifest
    after: Manifest
    changes: tuple[BundleChange, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """What changes, of a target that comes or goes in one line, and how much it is in all."""
        return tuple(self._lines())

    def _lines(self) -> Iterator[str]:
        old, new = (
            {target.id for target in manifest.targets} for manifest in (self.before, self.after)
        )
        for target, sign, manifest in (
            *((target, "-", self.before) for target in sorted(old - new)),
            *((target, "+", self.after) for target in sorted(new - old)),
        ):
            packages = count(len(manifest.packages_for(target)), "package")
            yield f"{sign} {target}: {'a new' if sign == '+' else 'no longer a'} target, {packages}"
        lines = [change.line for change in self.changes if change.target in old & new]
        yield from lines
        parts = [
            *(
                f"{count(len(ids), 'target')} {what}"
                for ids, what in ((new - old, "new"), (old - new, "gone"))
                if ids
            ),
            *tallied(lines),
        ]
        yield ", ".join(parts) or "the same wheels" + (" and Pythons" if self.after.pythons else "")


def compare(before: Manifest, after: Manifest) -> Comparison:
    """Return what is different in the second manifest."""
    changes = tuple(
        BundleChange(target, kind, name, old[0] if old else None, new[0] if new else None)
        for (target, kind, name), old, new in differing(_contents(before), _contents(after))
    )
    return Comparison(before=before, after=after, changes=changes)


def _contents(manifest: Manifest) -> dict[tuple[str, str, str], tuple[str, str]]:
    """Return version (of a Python, the name of its archive) and hash, by target, kind and name."""
    packages = {
        (target, "package", package.name): (package.version, package.sha256)
        for package in manifest.packages
        for target in package.targets
    }
    pythons = {
        (target, "python", "Python"): (python.name, python.sha256)
        for python in manifest.pythons
        for target in python.targets
    }
    return packages | pythons
