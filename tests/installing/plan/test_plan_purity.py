"""Planning reads nothing: what is on the disk was read before, and is passed to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.making.archives import NOW, policy_of
from support.making.bundles import make_bundle
from support.making.wheels import make_wheel
from support.running.hosts import interpreter, target
from support.running.installations import install, this_interpreter
from support.running.no_effects import EffectError, no_effects
from support.running.ssh import fixed_key
from wheelferry_installer.environment.distributions import distributions
from wheelferry_installer.environment.present import PresentEnvironment, present_at, present_in
from wheelferry_installer.host import places
from wheelferry_installer.plan import environment_plan, fitting, merge_plan
from wheelferry_installer.plan.install_options import InstallOptions
from wheelferry_installer.plan.narrowing import narrowed
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.verification import VerifiedBundle, verify

ALICE = fixed_key("alice")
WHEELS = [make_wheel("one"), make_wheel("two")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "bundle.tar.zst", WHEELS, keys=[ALICE])


@pytest.fixture
def bundle(path: Path) -> Iterator[VerifiedBundle]:
    verified = verify(open_bundle(path), policy_of(ALICE), NOW)
    yield verified
    verified.close()


def test_reading_what_is_there_is_no_planning(tmp_path: Path) -> None:
    with pytest.raises(EffectError), no_effects():
        distributions(tmp_path, ["."])


def test_environment_is_planned_from_what_was_read(
    bundle: VerifiedBundle, path: Path, tmp_path: Path
) -> None:
    environment = tmp_path / "env"
    install(path, environment)
    there = present_in(environment, bundle.sha256)
    here = this_interpreter()
    with no_effects():
        fit = fitting.fit(narrowed(bundle.manifest, []), [here])
        planned = environment_plan.plan(bundle, there, fit, compile_bytecode=False)
        again = environment_plan.plan(bundle, there, fit, compile_bytecode=False, reinstall=True)
        gone = planned.renewed(PresentEnvironment(path=environment, receipt=None))
        assert planned.up_to_date
        assert not again.up_to_date
        assert gone.changes.tally == "2 added"


def test_environment_of_which_only_the_receipt_was_read_is_not_believed(
    bundle: VerifiedBundle, path: Path, tmp_path: Path
) -> None:
    install(path, tmp_path / "env")
    fit = fitting.fit(bundle.manifest, [this_interpreter()])
    planned = environment_plan.plan(
        bundle, present_in(tmp_path / "env"), fit, compile_bytecode=False
    )
    assert not planned.up_to_date


def test_merge_is_planned_from_what_was_read(bundle: VerifiedBundle, tmp_path: Path) -> None:
    (tmp_path / "place" / "one-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "place" / "other-3.0.dist-info").mkdir()
    here = this_interpreter()
    place = places.target(tmp_path / "place", here.executable)
    there = present_at(place)
    with no_effects():
        fit = fitting.fit(bundle.manifest, [here])
        planned = merge_plan.plan(bundle, place, there, fit, InstallOptions(exact=True))
        assert [package.name for package in planned.left] == ["one"]
        assert [change.line for change in planned.changes.changes] == ["- other 3.0", "+ two 1.0"]
        assert planned.renewed(there) == planned


def test_misfits_are_found_without_a_look(tmp_path: Path) -> None:
    bundled = make_bundle(tmp_path / "b.tar.zst", WHEELS, keys=[ALICE], targets=[target()])
    manifest = verify(open_bundle(bundled), policy_of(ALICE), NOW).manifest
    other = interpreter("manylinux_2_28_aarch64")
    with no_effects():
        problems = fitting.misfits(manifest.targets[0], manifest.packages, other)
    assert len(problems) == 1
