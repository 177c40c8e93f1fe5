"""Makes planned bundles, some with the installer inside: all of them, or none."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wheelferry_bundler.create import bundle_plan, creation
from wheelferry_bundler.create.bundle_plan import BundlePlan
from wheelferry_bundler.create.creation import Created, Progress
from wheelferry_bundler.create.signers import UNSIGNED, Signers, some_keys
from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.sign.signing_keys import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A planned bundle, the file that it becomes, and who signs it."""

    plan: BundlePlan
    output: Path
    signers: Signers
    self_contained: bool = False


def make_bundles(orders: Sequence[Order], created: int, progress: Progress) -> tuple[Created, ...]:
    """Fetch, build, sign and write planned bundles; replaces their outputs.

    Raises `WheelferryError`, and `OSError` where a file cannot be moved; several outputs are
    replaced when all bundles are complete.
    """
    for order in orders:
        creation.check_times(created, order.plan.request.expires)
        _keys(order)
    bundle_plan.check_complete(*(order.plan for order in orders))
    cache = Cache.default()
    if len(orders) == 1:
        return (_make(orders[0], created, cache, progress),)
    with contextlib.ExitStack() as folders:
        made = []
        for order in orders:
            beside = tempfile.TemporaryDirectory(
                dir=order.output.parent, prefix=f".{order.output.name}."
            )
            output = Path(folders.enter_context(beside), order.output.name)
            made.append(_make(dataclasses.replace(order, output=output), created, cache, progress))
        for one, order in zip(made, orders, strict=True):
            os.replace(one.path, order.output)
    return tuple(
        dataclasses.replace(one, path=order.output) for one, order in zip(made, orders, strict=True)
    )


def _keys(order: Order) -> tuple[Signer, ...]:
    return () if order.signers is UNSIGNED else some_keys(order.signers)


def _make(order: Order, created: int, cache: Cache, progress: Progress) -> Created:
    plan, output, keys = order.plan, order.output, _keys(order)
    if not order.self_contained:
        return creation.create(plan, output, cache, created, keys, progress)
    from wheelferry_bundler.carry import installer_files, self_contained_writer

    request = plan.request
    installer = installer_files.pack_installer(request.targets, request.building, cache, progress)
    with self_contained_writer.bundle_beside(output) as path:
        bundle = creation.create(plan, path, cache, created, keys, progress)
        return self_contained_writer.wrap(bundle, installer, output, progress)
