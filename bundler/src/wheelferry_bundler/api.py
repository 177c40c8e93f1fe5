"""The public Python API of the online side: what the commands call, and nothing below is public.

Functions take and return frozen values. They do not print, prompt or handle signals, and may be
called from any thread. Every failure is a `WheelferryError` with `message`, `details`, `hint` and
`exit_code`. Times are seconds since the epoch, sizes are bytes.
"""

from __future__ import annotations

import enum
import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from wheelferry_bundler.create.requesting import CreateOptions
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
    from wheelferry_bundler.carry.self_contained_writer import CarriedFile
    from wheelferry_bundler.create.bundle_plan import BundlePlan
    from wheelferry_bundler.create.creation import Created, Progress
    from wheelferry_bundler.create.problems import Problem
    from wheelferry_bundler.read.inputs import Source
    from wheelferry_bundler.sign.signing_keys import Signer
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
    "Problem",
    "Progress",
    "Signer",
    "Signers",
    "Source",
    "TamperedError",
    "Target",
    "TransferError",
    "UnfitError",
    "Unsigned",
    "UsageError",
    "WheelferryError",
    "check_complete",
    "create",
    "find_source",
    "make_targets",
    "new_key",
    "open_key",
    "own_key",
    "own_key_path",
    "pack_installer",
    "plan",
    "problems_of",
    "sign",
]

_VALUES = {
    "BundlePlan": "wheelferry_bundler.create.bundle_plan:BundlePlan",
    "CarriedFile": "wheelferry_bundler.carry.self_contained_writer:CarriedFile",
    "Created": "wheelferry_bundler.create.creation:Created",
    "Manifest": "wheelferry_schemas.bundle.manifest:Manifest",
    "Problem": "wheelferry_bundler.create.problems:Problem",
    "Progress": "wheelferry_bundler.create.creation:Progress",
    "Signer": "wheelferry_bundler.sign.signing_keys:Signer",
    "Source": "wheelferry_bundler.read.inputs:Source",
    "Target": "wheelferry_schemas.target:Target",
}


class Unsigned(enum.Enum):
    """The type of `UNSIGNED`."""

    UNSIGNED = "unsigned"


UNSIGNED = Unsigned.UNSIGNED
"""Passed to `create` for a bundle without signatures, which hosts refuse by default."""
Signers: TypeAlias = "Sequence[Signer] | Literal[Unsigned.UNSIGNED]"


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOptions:
    """The bundle that a self-contained file installs, if any, and where the installer comes from.

    `find_links` and `index_urls` have the meaning that they have in `CreateOptions`.
    """

    bundle: Path | None = None
    find_links: tuple[Path, ...] = ()
    index_urls: tuple[str, ...] = ()


class _Silent:
    """Progress that is not shown."""

    def step(self, phase: str, total: int | None, noun: str | None = None, /) -> None:
        """Do nothing."""

    def advance(self, item: str, amount: int, /) -> None:
        """Do nothing."""


def __getattr__(name: str) -> Any:
    """Return a public type, whose module is imported on first access."""
    if name not in _VALUES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, own_name = _VALUES[name].partition(":")
    return getattr(importlib.import_module(module), own_name)


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

    return check_closure(planned, Cache.default(), on_progress or _Silent())


def problems_of(plan: BundlePlan) -> tuple[Problem, ...]:
    """Return the problems of a plan, none if it is complete."""
    from wheelferry_bundler.create import problems

    return problems.problems_of(plan)


def check_complete(plan: BundlePlan) -> None:
    """Raise one error that names everything that is missing, for all targets."""
    from wheelferry_bundler.create import bundle_plan

    bundle_plan.check_complete(plan)


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
    from wheelferry_bundler.create import bundle_plan, creation
    from wheelferry_bundler.fetch.cache import Cache

    made = int(time.time()) if created is None else created
    creation.check_times(made, plan.request.expires)
    keys = () if signers is UNSIGNED else _at_least_one(signers)
    bundle_plan.check_complete(plan)
    output, cache, progress = Path(output), Cache.default(), on_progress or _Silent()
    if not self_contained:
        return creation.create(plan, output, cache, made, keys, progress)
    from wheelferry_bundler.carry import installer_files, self_contained_writer

    request = plan.request
    installer = installer_files.pack_installer(request.targets, request.building, cache, progress)
    with self_contained_writer.bundle_beside(output) as path:
        bundle = creation.create(plan, path, cache, made, keys, progress)
        return self_contained_writer.wrap(bundle, installer, output, progress)


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

    return signing_keys.open_key(Path(path), passphrase or _no_passphrase)


@in_families
def sign(bundle: Path, signers: Sequence[Signer]) -> Manifest:
    """Add signatures to a bundle, and return its manifest.

    Raises `TamperedError` for a file that is not a bundle, `ConflictError` if a key has already
    signed it, `TransferError` if it cannot be written; the bundle is then unchanged.
    """
    from wheelferry_bundler.sign import countersigning

    return countersigning.add_signatures(Path(bundle), _at_least_one(signers))


@in_families
def pack_installer(
    output: Path,
    targets: Sequence[Target],
    options: CarryOptions = CarryOptions(),
    *,
    on_progress: Progress | None = None,
) -> CarriedFile:
    """Write the installer as one file that Python runs on the targets; replaces `output`.

    Empty `targets` stand for those of the bundle in `options`. Raises `UnfitError` if the installer
    runs on none of them, `TransferError` if it cannot be fetched or written.
    """
    from wheelferry_bundler.carry import installer_files, self_contained_writer
    from wheelferry_bundler.fetch.cache import Cache
    from wheelferry_bundler.fetch.wheel_folders import list_folders
    from wheelferry_bundler.model.locations import Locations
    from wheelferry_bundler.model.options import BuildOptions
    from wheelferry_bundler.write.existing_bundle import read_manifest

    if not targets and options.bundle is not None:
        targets = read_manifest(options.bundle).targets
    locations = Locations(folders=list_folders(options.find_links), mirrors=options.index_urls)
    installer = installer_files.pack_installer(
        targets, BuildOptions(locations=locations), Cache.default(), on_progress or _Silent()
    )
    return self_contained_writer.write_self_contained(Path(output), installer, options.bundle)


def _at_least_one(signers: Sequence[Signer]) -> tuple[Signer, ...]:
    if not signers:
        raise UsageError("there is no key to sign with", hint="pass own_key(), or UNSIGNED")
    return tuple(signers)


def _no_passphrase(path: Path) -> str:
    raise UsageError(f"{path} has a passphrase", hint="pass a function that returns it")
