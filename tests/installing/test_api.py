"""The public API of the air-gapped side: what programs call, without a command line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from support.making.bundles import make_bundle, make_key, trust
from support.making.wheels import make_wheel
from support.running.installations import ALICE, SITE_PACKAGES, run_python
from support.running.ssh import fixed_key
from support.running.threads import handlers, in_a_thread
from wheelferry_installer import api
from wheelferry_installer.verify import policy

OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
FAST = api.InstallOptions(sync=False)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_folder: Path) -> Path:
    """The current folder, on a host that trusts alice."""
    monkeypatch.setattr(policy, "SYSTEM_FOLDER", tmp_path / "etc")
    monkeypatch.chdir(tmp_path)
    trust(config_folder / "allowed_signers", ALICE)
    return tmp_path


@pytest.fixture
def old(folder: Path) -> Path:
    return make_bundle(folder / "old.tar.zst", [make_wheel("pure")], keys=[ALICE], created=OLD)


@pytest.fixture
def new(folder: Path) -> Path:
    wheels = [make_wheel("other"), make_wheel("pure", "2.0")]
    return make_bundle(folder / "new.tar.zst", wheels, keys=[ALICE], created=NEW)


def install(bundle: Path, place: api.Place, options: api.InstallOptions = FAST) -> api.Installation:
    with api.verify(bundle, api.load_policy()) as verified:
        return api.install(api.plan(verified, place, options))


def test_all_that_is_public_is_there() -> None:
    assert [name for name in api.__all__ if not hasattr(api, name)] == []


def test_another_name_is_not_there() -> None:
    assert not hasattr(api, "open_bundle")


def test_verify_loads_nothing_of_the_command_line() -> None:
    program = (
        "import sys; from wheelferry_installer.api import verify; "
        "print({'click', 'tqdm', 'cryptography', 'zstandard'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


def test_installs_goes_back_and_removes_in_a_thread(
    old: Path, new: Path, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = handlers()
    place = api.managed(folder / "env")

    def work() -> str:
        first = install(old, place)
        second = install(new, place)
        assert first.receipt is not None
        assert second.receipt is not None
        assert [change.line for change in second.plan.changes.changes] == [
            "+ other 1.0",
            "~ pure 1.0 -> 2.0",
        ]
        status = api.status(place, api.load_policy())
        assert status.intact
        assert [one.receipt.bundle for one in status.generations] == ["new.tar.zst", "old.tar.zst"]
        back = api.rollback(place, if_generation=second.receipt.generation, sync=False)
        assert back.receipt == first.receipt
        version = run_python(
            folder / "env", "import importlib.metadata as m; print(m.version('pure'))"
        )
        assert [
            package.name
            for package in api.prune(place, 0, sync=False).generations[0].receipt.packages
        ] == ["other", "pure"]
        assert [package.name for package in api.uninstall(place, sync=False)] == ["pure"]
        return version

    assert in_a_thread(work) == "1.0\n"
    assert not (folder / "env").exists()
    assert handlers() == before
    assert capfd.readouterr() == ("", "")


def test_installs_where_other_threads_run(old: Path, folder: Path) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert install(old, api.managed(folder / "env")).changed
    finally:
        stop.set()
        thread.join()
    assert run_python(folder / "env", "import pure") == ""


def test_two_threads_install_at_once(old: Path, new: Path, folder: Path) -> None:
    done: dict[str, api.Installation] = {}

    def work(name: str, bundle: Path) -> None:
        done[name] = install(bundle, api.managed(folder / name))

    threads = [threading.Thread(target=work, args=one) for one in (("first", old), ("second", new))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: len(one.plan.packages) for name, one in done.items()} == {"first": 1, "second": 2}
    assert all(api.status(api.managed(folder / name)).intact for name in done)


def test_signals_are_as_before_even_where_they_were_shielded(old: Path, folder: Path) -> None:
    before = handlers()
    place = api.managed(folder / "env")
    during: list[object] = []
    install(old, place, api.InstallOptions(sync=False, shield_signals=True))
    assert handlers() == before
    with api.verify(old, api.load_policy()) as verified:
        plan = api.plan(verified, place, api.InstallOptions(sync=False, reinstall=True))
        api.install(plan, on_progress=lambda _name, _size: during.extend(handlers()))
    assert during[: len(before)] == before
    assert handlers() == before


def test_every_failure_is_of_a_family(folder: Path, old: Path) -> None:
    trusting = api.load_policy()
    with pytest.raises(api.TransferError):
        api.verify(folder / "nothing", trusting)
    (folder / "torn").write_bytes(old.read_bytes()[:-9])
    with pytest.raises(api.TamperedError):
        api.verify(folder / "torn", trusting)
    strange = make_bundle(folder / "strange", [make_wheel("pure")], keys=[make_key("mallory")])
    with pytest.raises(api.TrustError):
        api.verify(strange, trusting)
    with pytest.raises(api.UsageError):
        api.status(api.managed(folder / "nowhere"))
    with pytest.raises(api.UsageError):
        api.into(folder / "nowhere")
    with pytest.raises(api.ConflictError):
        api.rollback(api.managed(folder / "nowhere"))


def test_what_the_system_refuses_is_of_a_family(folder: Path, old: Path) -> None:
    project = folder / "project"
    (project / "pyproject.toml").mkdir(parents=True)
    (project / "uv.lock").write_text("version = 1\n", encoding="utf-8")
    (project / "uv.lock").chmod(0)
    with api.verify(old, api.load_policy()) as verified, pytest.raises(api.WheelferryError):
        api.unpack_for_uv(verified, folder / "wheels", project)


def test_unsigned_bundles_are_accepted_only_by_name(folder: Path) -> None:
    bundle = make_bundle(folder / "unsigned.tar.zst", [make_wheel("pure")])
    with pytest.raises(api.TrustError, match="not signed"):
        api.verify(bundle, api.load_policy())
    with api.verify(bundle, api.ACCEPT_UNSIGNED, deep=True) as verified:
        assert verified.signers == ()


def test_whoever_accepts_unsigned_bundles_knows_no_key(old: Path) -> None:
    with api.verify(old, api.ACCEPT_UNSIGNED) as verified:
        [signer] = verified.signers
    assert signer.problem is not None
    [signer] = api.read(old, api.ACCEPT_UNSIGNED).signers
    assert signer.problem is not None


def test_a_policy_of_the_system_is_a_floor(old: Path, folder: Path) -> None:
    trust(folder / "etc" / "allowed_signers", ALICE)
    with pytest.raises(api.TrustError, match="policy for all users"):
        api.verify(old, api.ACCEPT_UNSIGNED)


def test_deep_checks_every_byte(old: Path, folder: Path) -> None:
    data = bytearray(old.read_bytes())
    data[len(data) * 3 // 4] ^= 1
    broken = folder / "broken.tar.zst"
    broken.write_bytes(data)
    api.verify(broken, api.load_policy()).close()
    with pytest.raises(api.MalformedError):
        api.verify(broken, api.load_policy(), deep=True)


def test_time_is_an_argument(folder: Path) -> None:
    wheel = make_wheel("pure")
    bundle = make_bundle(
        folder / "old", [wheel], keys=[ALICE], created=OLD, expires="2026-03-01T00:00:00Z"
    )
    api.verify(bundle, api.load_policy(), now=1_768_000_000).close()
    with pytest.raises(api.OutdatedError, match="expired"):
        api.verify(bundle, api.load_policy(), now=1_800_000_000)
    with pytest.raises(api.OutdatedError):
        api.verify(bundle, api.load_policy(), now=1_600_000_000)
    api.verify(bundle, api.load_policy(), now=1_600_000_000, allow_future=True).close()


def test_trusts_the_key_that_was_confirmed_and_no_other(folder: Path) -> None:
    bob, mallory = fixed_key("bob"), fixed_key("mallory")
    key_file = folder / "bob.pub"
    key_file.write_text(f"{bob.public.line()} bob\n", encoding="utf-8")
    seen = api.read_key(key_file)
    assert (seen.name, seen.is_listed) == ("bob", False)
    key_file.write_text(f"{mallory.public.line()} bob\n", encoding="utf-8")
    with pytest.raises(api.TrustError, match="another fingerprint"):
        api.trust_key(key_file, fingerprint=seen.fingerprint)
    key_file.write_text(f"{bob.public.line()} bob\n", encoding="utf-8")
    assert api.trust_key(key_file, fingerprint=seen.fingerprint).key == bob.public
    assert api.read_key(key_file).is_listed
    assert [gone.fingerprint for gone in api.distrust("bob")] == [seen.fingerprint]


def test_rehearsal_reads_everything_and_writes_nothing(old: Path, folder: Path) -> None:
    there = sorted(folder.rglob("*"))
    with api.verify(old, api.load_policy()) as verified:
        plan = api.plan(verified, api.managed(folder / "env"))
        rehearsal = api.rehearse(plan)
    assert rehearsal.startup == ()
    assert not plan.up_to_date
    assert sorted(folder.rglob("*")) == there


def test_a_folder_of_modules_is_a_place(old: Path, folder: Path) -> None:
    place = api.folder(folder / "modules")
    assert install(old, place).changed
    assert (folder / "modules" / "pure.py").is_file()
    status = api.status(place)
    assert (status.intact, status.is_managed, status.kept) == (True, False, ())
    assert not install(old, place).changed
    with pytest.raises(api.UsageError, match="--to is for"):
        api.rollback(place, to="12345678")
    with pytest.raises(api.UsageError, match="--bundled-python"):
        install(old, place, api.InstallOptions(bundled_python=True))
    assert [package.name for package in api.uninstall(place, sync=False)] == ["pure"]


def test_quick_believes_what_was_not_touched(old: Path, folder: Path) -> None:
    place = api.managed(folder / "env")
    install(old, place)
    assert api.status(place, quick=True).intact
    module = folder / "env" / SITE_PACKAGES / "pure.py"
    module.write_text("edited = True\n", encoding="utf-8")
    edited = (f"changed: {SITE_PACKAGES}/pure.py",)
    assert api.status(place, quick=True).problems == edited
    assert api.status(place).problems == edited


def test_another_run_is_waited_for_only_if_that_is_asked_for(old: Path, folder: Path) -> None:
    place = api.managed(folder / "env")
    install(old, place)
    with api.verify(old, api.load_policy()) as verified:
        plan = api.plan(verified, place, api.InstallOptions(sync=False, reinstall=True))

        def meanwhile(_name: str, _size: int) -> None:
            with pytest.raises(api.ConflictError):
                api.uninstall(place)

        assert api.install(plan, on_progress=meanwhile).changed


def test_compares_and_narrows(old: Path, new: Path) -> None:
    comparison = api.compare(old, new)
    assert [(change.name, change.old, change.new) for change in comparison.changes] == [
        ("other", None, "1.0"),
        ("pure", "1.0", "2.0"),
    ]
    manifest = api.read(old).manifest
    assert api.narrow(manifest, []) == manifest
    with pytest.raises(api.UsageError):
        api.narrow(manifest, ["cp27-win32"])


def test_writes_wheels_and_an_index(old: Path, folder: Path) -> None:
    options = api.UnpackOptions(sync=False)
    with api.verify(old, api.load_policy()) as verified:
        unpacked = api.unpack(verified, folder / "house", options)
        growth = api.write_index(verified, folder / "index", options)
    assert os.listdir(folder / "house" / "wheels") == ["pure-1.0-py3-none-any.whl"]
    assert "--require-hashes" in unpacked.command
    assert (growth.added, growth.present) == (1, 0)
