"""How a bundle is to be unpacked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackOptions:
    """What to take of a bundle: all of it, or what `targets` need, by their ids.

    Without `sync`, a loss of power may lose what was unpacked.
    """

    targets: tuple[str, ...] = ()
    sync: bool = True
