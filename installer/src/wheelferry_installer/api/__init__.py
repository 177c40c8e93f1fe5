"""The air-gapped side as a library: verify a bundle, plan, install, look, go back.

    from pathlib import Path
    from wheelferry_installer import api

    with api.verify(Path("bundle.tar.zst"), api.load_policy()) as bundle:
        done = api.install(api.plan(bundle, api.managed(Path("/opt/app/venv"))))

- Functions raise `WheelferryError` and its families alone, print and ask nothing, and may be called
  from any thread. They import what they run when they run.
- `now` is in seconds since the epoch, by default this host's clock; sizes are in bytes.
- Unless `sync` is False, everything is on the disk before a function returns.
- Where another run works on a place, `on_wait` is called before it is waited for; without `on_wait`
  that is a `ConflictError`.
- Signal handlers are left alone unless `shield_signals` is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from wheelferry_installer.api.bundles import (
    check_contents,
    compare,
    distrust,
    load_policy,
    read,
    read_key,
    read_sbom,
    trust_key,
    verify,
)
from wheelferry_installer.api.installing import (
    describe_host,
    folder,
    install,
    into,
    managed,
    plan,
    prefix,
    prune,
    rehearse,
    rollback,
    status,
    uninstall,
)
from wheelferry_installer.api.wheelhouses import (
    narrow,
    restore_lock,
    unpack,
    unpack_for_uv,
    write_index,
)
from wheelferry_installer.plan.install_options import InstallOptions, OnWait, Progress
from wheelferry_installer.unpack.unpack_options import UnpackOptions
from wheelferry_schemas.errors import (
    ConflictError,
    MalformedError,
    OutdatedError,
    TamperedError,
    TransferError,
    TrustError,
    UnfitError,
    UsageError,
    WheelferryError,
)

if TYPE_CHECKING:
    from wheelferry_installer.environment.pruning import Pruned
    from wheelferry_installer.install.install_plan import Installation, InstallPlan, Rehearsal
    from wheelferry_installer.install.managed_place import ManagedPlace
    from wheelferry_installer.install.place_engines import Place
    from wheelferry_installer.install.place_status import Status
    from wheelferry_installer.install.rolling_back import RolledBack
    from wheelferry_installer.install.shared_place import SharedPlace
    from wheelferry_installer.plan.bundle_changes import Comparison
    from wheelferry_installer.unpack.index_writing import IndexGrowth
    from wheelferry_installer.unpack.uv_unpacking import Unpacked
    from wheelferry_installer.verify.bundle_facts import BundleFacts
    from wheelferry_installer.verify.policy import ACCEPT_UNSIGNED, Policy, SignatureVerdict
    from wheelferry_installer.verify.trust_store import TrustedSigner
    from wheelferry_installer.verify.verification import VerifiedBundle
    from wheelferry_installer.wheel.startup import StartupFile
    from wheelferry_schemas.bundle.manifest import Manifest
    from wheelferry_schemas.receipt import InstalledPackage, Receipt
    from wheelferry_schemas.target import Target

__all__ = [
    "ACCEPT_UNSIGNED",
    "BundleFacts",
    "Comparison",
    "ConflictError",
    "IndexGrowth",
    "InstallOptions",
    "InstallPlan",
    "Installation",
    "InstalledPackage",
    "MalformedError",
    "ManagedPlace",
    "Manifest",
    "OnWait",
    "OutdatedError",
    "Place",
    "Policy",
    "Progress",
    "Pruned",
    "Receipt",
    "Rehearsal",
    "RolledBack",
    "SharedPlace",
    "SignatureVerdict",
    "StartupFile",
    "Status",
    "TamperedError",
    "Target",
    "TransferError",
    "TrustError",
    "TrustedSigner",
    "UnfitError",
    "UnpackOptions",
    "Unpacked",
    "UsageError",
    "VerifiedBundle",
    "WheelferryError",
    "check_contents",
    "compare",
    "describe_host",
    "distrust",
    "folder",
    "install",
    "into",
    "load_policy",
    "managed",
    "narrow",
    "plan",
    "prefix",
    "prune",
    "read",
    "read_key",
    "read_sbom",
    "rehearse",
    "restore_lock",
    "rollback",
    "status",
    "trust_key",
    "uninstall",
    "unpack",
    "unpack_for_uv",
    "verify",
    "write_index",
]

_LOADED_WHEN_ASKED_FOR = {
    "wheelferry_installer.environment.pruning": ("Pruned",),
    "wheelferry_installer.install.install_plan": ("Installation", "InstallPlan", "Rehearsal"),
    "wheelferry_installer.install.managed_place": ("ManagedPlace",),
    "wheelferry_installer.install.place_engines": ("Place",),
    "wheelferry_installer.install.place_status": ("Status",),
    "wheelferry_installer.install.rolling_back": ("RolledBack",),
    "wheelferry_installer.install.shared_place": ("SharedPlace",),
    "wheelferry_installer.plan.bundle_changes": ("Comparison",),
    "wheelferry_installer.unpack.index_writing": ("IndexGrowth",),
    "wheelferry_installer.unpack.uv_unpacking": ("Unpacked",),
    "wheelferry_installer.verify.bundle_facts": ("BundleFacts",),
    "wheelferry_installer.verify.policy": ("ACCEPT_UNSIGNED", "Policy", "SignatureVerdict"),
    "wheelferry_installer.verify.trust_store": ("TrustedSigner",),
    "wheelferry_installer.verify.verification": ("VerifiedBundle",),
    "wheelferry_installer.wheel.startup": ("StartupFile",),
    "wheelferry_schemas.bundle.manifest": ("Manifest",),
    "wheelferry_schemas.receipt": ("InstalledPackage", "Receipt"),
    "wheelferry_schemas.target": ("Target",),
}


def __getattr__(name: str) -> Any:
    """Load a type or a constant when it is first used: most programs need few (PEP 562)."""
    for module, names in _LOADED_WHEN_ASKED_FOR.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(name)
