"""The patch releases of CPython: how far each minor version has come, and what distributions keep.

As of November 2026. What is released later counts as the newest does, unless a marker tells the
two apart; so a table that is older than the newest release costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NEWEST: Final[Mapping[int, int]] = {
    7: 17,
    8: 20,
    9: 25,
    10: 22,
    11: 18,
    12: 16,
    13: 18,
    14: 10,
    15: 2,
}
"""The newest patch release of each minor version."""

# Only what stays where it is, for years: python311 of SLES 15, the Pythons of Amazon Linux 2023 and
# those of RHEL's current minor releases follow the newest patch release. python3.11 in the universe
# of Ubuntu 22.04 is a release candidate that nobody supports.
_KEPT: Final[Mapping[int, Mapping[int, str]]] = {
    10: {
        4: "Ubuntu 22.04 before its updates",
        12: "Ubuntu 22.04",
    },
    11: {
        # RHEL 8.8 and 9.2 have it in python3.11 (AppStream, extended support).
        2: "Debian 12 and RHEL 9.2",
    },
    12: {
        # RHEL 8.10 and 9.4 came with it in python3.12 (AppStream, extended support).
        1: "RHEL 9.4",
        3: "Ubuntu 24.04",
        # RHEL 10.0: the platform's own python3.
        9: "RHEL 10.0",
    },
    13: {
        5: "Debian 13",
    },
}
"""The patch releases that supported distributions ship, and which do."""


def newest_patch(minor: int) -> int:
    """Return the newest patch release of Python 3.`minor`; 0 for one that is not known yet."""
    return _NEWEST.get(minor, 0)


def kept_patches(minor: int) -> Mapping[int, str]:
    """Return the patch releases of Python 3.`minor` that distributions ship, with their names."""
    return _KEPT.get(minor, {})
