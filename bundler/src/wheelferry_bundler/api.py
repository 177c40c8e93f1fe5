"""The public Python API of the online side: what the commands call, and nothing below is public.

Functions take and return frozen values. They do not print, prompt or handle signals, and may be
called from any thread. Every failure is a `WheelferryError` with `message`, `details`, `hint` and
`exit_code`. Times are seconds since the epoch, sizes are bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheelferry_bundler.carry.carrying import CarryOptions
from wheelferry_bundler.create.calling import Silent, loaded_when_asked
from wheelferry_bundler.create.requesting import CreateOptions
from wheelferry_bundler.create.signers import UNSIGNED, Signers, Unsigned, no_passphrase, some_keys
from wheelferry_schemas.errors import (
    BuildError,
    ConflictError,
    MalformedError,
    TamperedError,
    TransferError,
    UnfitError,
    UsageError,
    WheelferryError,
    in_families,
)

if TYPE_CHECKING:
    from wheelferry_bundler.carry.bundle_making import Order
    from wheelferry_bundler.carry.self_contained_writer import CarriedFile
    from wheelferry_bundler.create.bundle_plan import BundlePlan
    from wheelferry_bundler.create.creation import Created, Progress
    from wheelferry_bundler.create.problems import Problem
    from wheelferry_bundler.create.wanted_bundles import WantedBundle
    from wheelferry_bundler.read.inputs import Source
    from wheelferry_bundler.read.project_facts import ProjectFacts
    from wheelferry_bundler.read.settings import Settings
    from wheelferry_bundler.read.settings_keys import Value
    from wheelferry_bundler.sign.signing_keys import Signer
    from wheelferry_bundler.write.settings_draft import SettingsDraft
    from wheelferry_schemas.bundle.manifest import Manifest
    from wheelferry_schemas.target import Target

__all__ = [
    "UNSIGNED",
    "BuildError",
    "BundlePlan",
    "CarriedFile",
    "CarryOptions",
    "ConflictError",
    "CreateOptions",
    "Created",
    "MalformedError",
    "Manifest",
    "Order",
    "Problem",
    "Progress",
    "ProjectFacts",
    "Settings",
    "SettingsDraft",
    "Signer",
    "Signers",
    "Source",
    "TamperedError",
    "Target",
    "TransferError",
    "UnfitError",
    "Unsigned",
    "UsageError",
    "Value",
    "WantedBundle",
    "WheelferryError",
    "check_complete",
    "create",
    "create_all",
    "draft_settings",
    "find_source",
    "make_targets",
    "new_key",
    "open_key",
    "outputs_of",
    "own_key",
    "own_key_path",
    "pack_installer",
    "plan",
    "problems_of",
    "project_facts",
    "read_settings",
    "settings_schema",
    "sign",
    "wanted_bundles",
]

__getattr__ = loaded_when_asked(
    __name__,
    {
        "BundlePlan": "wheelferry_bundler.create.bundle_plan:BundlePlan",
        "CarriedFile": "wheelferry_bundler.carry.self_contained_writer:CarriedFile",
        "Created": "wheelferry_bundler.create.creation:Created",
        "Manifest": "wheelferry_schemas.bundle.manifest:Manifest",
        "Order": "wheelferry_bundler.carry.bundle_making:Order",
        "Problem": "wheelferry_bundler.create.problems:Problem",
        "Progress": "wheelferry_bundler.create.creation:Progress",
        "ProjectFacts": "wheelferry_bundler.read.project_facts:ProjectFacts",
        "Settings": "wheelferry_bundler.read.settings:Settings",
        "SettingsDraft": "wheelferry_bundler.write.settings_draft:SettingsDraft",
        "Signer": "wheelferry_bundler.sign.signing_keys:Signer",
        "Source": "wheelferry_bundler.read.inputs:Source",
        "Target": "wheelferry_schemas.target:Target",
        "Value": "wheelferry_bundler.read.settings_keys:Value",
        "WantedBundle": "wheelferry_bundler.create.wanted_bundles:WantedBundle",
    },
)


@in_families
def find_source(path: Path = Path()) -> Source:
    """Return the source at `path`: a file, or the first known one in a folder.

    Raises `UsageError` if there is none.
    """
    from wheelferry_bundler.read.inputs import find_source

    return find_source(Path(path))


@in_families
def make_targets(
    platforms: Sequence[str] = (), pythons: Sequence[str] = (), files: Sequence[Path] = ()
) -> tuple[Target, ...]:
    """Return a target for each platform with each Python, and those that `files` describe.

    Without arguments, it is this host. Raises `UsageError`, and `MalformedError` for a file that
    `bundle target` did not write.
    """
    from wheelferry_bundler.read import targets

    return targets.make_targets(platforms, pythons, files)


@in_families
def read_settings(source: Source) -> Settings | None:
    """Return the settings of a source, None without; raises one `UsageError` for all mistakes."""
    from wheelferry_bundler.read import settings

    return settings.read_settings(source)


@in_families
def wanted_bundles(
    settings: Settings | None = None,
    options: Mapping[str, Value] | None = None,
    *,
    created: int | None = None,
) -> tuple[WantedBundle, ...]:
    """Return the bundles that settings call for; `options`, by name without dashes, win."""
    from wheelferry_bundler.create import wanted_bundles

    when = int(time.time()) if created is None else created
    return wanted_bundles.wanted_bundles(settings, options or {}, when)


def outputs_of(bundles: Sequence[WantedBundle], plans: Sequence[BundlePlan]) -> tuple[Path, ...]:
    """Return the file of each bundle; raises `UsageError` where two are one, or one is unknown."""
    from wheelferry_bundler.create import wanted_bundles

    return wanted_bundles.outputs_of(bundles, plans)


@in_families
def draft_settings(source: Source, options: Mapping[str, Value]) -> SettingsDraft:
    """Return settings for a project that has none, to `add`; else raises `ConflictError`."""
    from wheelferry_bundler.write import settings_draft

    return settings_draft.draft_settings(source, options)


@in_families
def project_facts(source: Source) -> ProjectFacts:
    """Return what the project of a source states that its settings depend on."""
    from wheelferry_bundler.read import project_facts

    return project_facts.read_facts(source)


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of the settings."""
    from wheelferry_bundler.read import settings_models

    return settings_models.settings_schema()


@in_families
def plan(
    source: Source,
    targets: Sequence[Target],
    options: CreateOptions = CreateOptions(),
    *,
    on_progress: Progress | None = None,
) -> BundlePlan:
    """Read the source and select packages for every target.

    A missing package is a problem of the plan, not an error here: see `problems_of` and
    `check_complete`. Raises `WheelferryError` if the source cannot be read or resolved.
    """
    from wheelferry_bundler.create import bundle_plan
    from wheelferry_bundler.create.requesting import request_for

    planned = bundle_plan.plan(request_for(source, targets, options))
    if planned.problems:
        from wheelferry_bundler.create.older_versions import with_older_versions

        planned = with_older_versions(planned)
    if planned.closed:
        return planned
    from wheelferry_bundler.create.completeness import check_closure
    from wheelferry_bundler.fetch.cache import Cache

    return check_closure(planned, Cache.default(), on_progress or Silent())


def problems_of(plan: BundlePlan) -> tuple[Problem, ...]:
    """Return the problems of a plan, none if it is complete."""
    from wheelferry_bundler.create import problems

    return problems.problems_of(plan)


def check_complete(*plans: BundlePlan) -> None:
    """Raise one error that names everything that is missing, for all targets of all plans."""
    from wheelferry_bundler.create import bundle_plan

    bundle_plan.check_complete(*plans)


@in_families
def create(
    plan: BundlePlan,
    output: Path,
    *,
    signers: Signers,
    created: int | None = None,
    self_contained: bool = False,
    on_progress: Progress | None = None,
) -> Created:
    """Fetch, build, sign and write a planned bundle; replaces `output`.

    `created` is the time stated in the bundle, by default now. With `self_contained` the file
    includes the installer. Raises `UsageError` without signers, `UnfitError` or `MalformedError` if
    something is missing, `BuildError` if a build fails, `TransferError` if something cannot be
    fetched or written; `output` is then unchanged.
    """
    from wheelferry_bundler.carry.bundle_making import Order

    order = Order(plan=plan, output=Path(output), signers=signers, self_contained=self_contained)
    [made] = create_all([order], created=created, on_progress=on_progress)
    return made


@in_families
def create_all(
    orders: Sequence[Order], *, created: int | None = None, on_progress: Progress | None = None
) -> tuple[Created, ...]:
    """Create all bundles, or none: outputs are replaced at the end; raises as `create`."""
    from wheelferry_bundler.carry import bundle_making

    when = int(time.time()) if created is None else created
    return bundle_making.make_bundles(orders, when, on_progress or Silent())


@in_families
def new_key(path: Path | None = None) -> Signer:
    """Make an Ed25519 key pair, `path` and `path`.pub, in OpenSSH's format.

    Without `path`, it is this user's own key, which this host's installer trusts from then on.
    Raises `ConflictError` if one of the files exists.
    """
    from wheelferry_bundler.sign import own_key, signing_keys

    return own_key.make_own_key() if path is None else signing_keys.new_key(Path(path))


def own_key_path() -> Path:
    """Return the path of this user's own key, which need not exist."""
    from wheelferry_bundler.sign import own_key

    return own_key.own_key_path()


@in_families
def own_key(
    *,
    passphrase: Callable[[Path], str] | None = None,
    on_made: Callable[[Signer], None] | None = None,
) -> Signer:
    """Return this user's own key.

    A key that does not exist is made when it first signs, as by `new_key()`, and passed to
    `on_made`. `passphrase` is as for `open_key`.
    """
    from wheelferry_bundler.sign import own_key

    path = own_key.own_key_path()
    return open_key(path, passphrase=passphrase) if path.exists() else own_key.KeyToMake(on_made)


@in_families
def open_key(path: Path, *, passphrase: Callable[[Path], str] | None = None) -> Signer:
    """Return a signer for a key file, or for a `.pub` file, whose key ssh-keygen uses.

    `passphrase` is called with the path of a key that has one. Raises `UsageError` if the key
    cannot sign or the passphrase is wrong.
    """
    from wheelferry_bundler.sign import signing_keys

    return signing_keys.open_key(Path(path), passphrase or no_passphrase)


@in_families
def sign(bundle: Path, signers: Sequence[Signer]) -> Manifest:
    """Add signatures to a bundle, and return its manifest.

    Raises `TamperedError` for a file that is not a bundle, `ConflictError` if a key has already
    signed it, `TransferError` if it cannot be written; the bundle is then unchanged.
    """
    from wheelferry_bundler.sign import countersigning

    return countersigning.add_signatures(Path(bundle), some_keys(signers))


@in_families
def pack_installer(
    output: Path,
    targets: Sequence[Target],
    options: CarryOptions = CarryOptions(),
    *,
    on_progress: Progress | None = None,
) -> CarriedFile:
    """Write the installer as one file that Python runs on the targets; replaces `output`.

    Empty `targets` stand for those of the bundle in `options`. Raises `UnfitError` if it runs on
    none of them, `TransferError` if it cannot be fetched or written.
    """
    from wheelferry_bundler.carry import carrying

    return carrying.carry_installer(Path(output), targets, options, on_progress or Silent())
