"""What a host remembers of the bundles that it accepted: the newest of each name.

The record lies outside environments, so that an older bundle is refused in a new folder too, and
after a newer one was uninstalled.
"""

from __future__ import annotations

from typing import Literal

from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.fields import Sha256, Text, Timestamp, parse_timestamp
from wheelferry_schemas.models import Model, canonical_json, read

FILE_NAME = "accepted.json"


class AcceptedBundle(Model, frozen=True, kw_only=True):
    """The newest bundle of a name: when it was created, and the hash of its manifest."""

    name: Text
    created: Timestamp
    manifest_sha256: Sha256

    def __post_init__(self) -> None:
        parse_timestamp(self.created)


class Accepted(Model, frozen=True, kw_only=True):
    """The newest accepted bundles, one for each name."""

    format: Literal[1] = 1
    bundles: tuple[AcceptedBundle, ...] = ()

    def newest(self, name: str) -> AcceptedBundle | None:
        """Return the newest bundle of a name."""
        named = (bundle for bundle in self.bundles if bundle.name == name)
        return max(named, key=lambda bundle: bundle.created, default=None)

    def having(self, bundle: AcceptedBundle) -> Accepted:
        """Return the record with a bundle added, unchanged if one of its name is not older.

        Of two that were created at the same time either will do: neither is older than the other.
        """
        known = self.newest(bundle.name)
        if known is not None and known.created >= bundle.created:
            return self
        others = [other for other in self.bundles if other.name != bundle.name]
        bundles = tuple(sorted((*others, bundle), key=lambda bundle: bundle.name))
        return self.replaced(bundles=bundles)


def serialize(accepted: Accepted) -> bytes:
    """Return the record as JSON; raises `ValueError` where `parse` would refuse it."""
    return canonical_json(accepted.checked().plain())


def parse(data: bytes) -> Accepted:
    """Read a record; raises `MalformedError`."""
    try:
        return read(data, Accepted)
    except (ValueError, RecursionError) as error:
        raise MalformedError("what was accepted so far cannot be read") from error
