"""The Python that comes along in a bundle: chosen, unpacked, and part of the environment."""

import json
import os
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.bundles import host_target, make_bundle, make_manifest, trust
from support.making.python_archives import (
    described,
    interpreter,
    member,
    odd,
    own_tar,
    tar_of,
    write,
)
from support.making.wheels import TinyWheel, make_wheel
from support.running import hosts
from support.running.command import Ran
from support.running.installations import ALICE, run, run_python, this_interpreter
from wheelferry_bundler.read.targets import PythonVersion, host_platform_name, make_target
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_installer.plan.carried_fit import fit_bundled
from wheelferry_schemas.bundle.manifest import Manifest
from wheelferry_schemas.errors import UnfitError
from wheelferry_schemas.target import Target

Main = Callable[..., Ran]
SCRIPT = make_wheel("pure", entry_points="[console_scripts]\npure-name = pure:NAME.isdigit\n")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter that runs this, as an archive."""
    return write(tmp_path_factory.mktemp("python") / "python.tar.gz", own_tar())


@pytest.fixture
def signers(tmp_path: Path) -> Path:
    return trust(tmp_path / "allowed_signers", ALICE)


@pytest.fixture
def install(main: Main, signers: Path, tmp_path: Path) -> Main:
    def run_install(bundle: Path, *options: object) -> Ran:
        return main(
            *("install", bundle, "--venv", tmp_path / "env", "--no-sync"),
            *("--allowed-signers", signers, *options),
        )

    return run_install


def bundled(
    folder: Path,
    archive: Path,
    wheels: tuple[TinyWheel, ...] = (SCRIPT,),
    target: Target | None = None,
    name: str = "bundle.tar.zst",
) -> Path:
    target = target or host_target()
    pythons = [described(archive, target.id)]
    return make_bundle(folder / name, wheels, keys=[ALICE], targets=[target], pythons=pythons)


def manifest_with(*targets: Target, tmp_path: Path) -> Manifest:
    path = write(tmp_path / "a.tar.gz", b"")
    pythons = [described(path, *(target.id for target in targets)).archive]
    return make_manifest([make_wheel("pure")], targets, pythons=pythons)


def base_prefix(environment: Path) -> Path:
    """Return the Python that an environment was made from; 3.10 spells it with `..` in it."""
    return Path(run_python(environment, "import sys; print(sys.base_prefix)").strip()).resolve()


def test_environment_is_made_from_the_python_of_the_bundle(
    archive: Path, install: Main, tmp_path: Path
) -> None:
    done = install(bundled(tmp_path, archive), "--bundled-python")
    assert done.code == 0, done.err
    assert base_prefix(tmp_path / "env") == tmp_path / "env/wheelferry/python"
    assert run_python(tmp_path / "env", "import pure; print(pure.NAME)") == "pure\n"


def test_scripts_run_with_the_python_of_the_bundle(
    archive: Path, install: Main, tmp_path: Path
) -> None:
    install(bundled(tmp_path, archive), "--bundled-python")
    run(tmp_path / "env/bin/pure-name")


def test_nothing_in_it_names_the_place_where_it_was_built(
    archive: Path, install: Main, tmp_path: Path
) -> None:
    install(bundled(tmp_path, archive), "--bundled-python")
    texts = [tmp_path / "env/pyvenv.cfg", *(tmp_path / "env/bin").glob("activate*")]
    assert not any("env.wheelferry" in path.read_text(encoding="utf-8") for path in texts)
    links = [path for path in (tmp_path / "env/bin").iterdir() if path.is_symlink()]
    assert not any("env.wheelferry" in os.readlink(path) for path in links)


def test_python_of_this_host_comes_first(archive: Path, install: Main, tmp_path: Path) -> None:
    assert install(bundled(tmp_path, archive)).code == 0
    assert not (tmp_path / "env/wheelferry/python").exists()


def test_python_of_the_bundle_serves_where_none_of_this_host_fits(
    archive: Path, install: Main, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        "wheelferry_installer.plan.fitting.misfits", lambda _target, _packages, _asked: ["another"]
    )
    assert install(bundled(tmp_path, archive)).code == 0
    assert (tmp_path / "env/wheelferry/python/bin/python3").exists()


def test_status_finds_it_intact(archive: Path, install: Main, main: Main, tmp_path: Path) -> None:
    install(bundled(tmp_path, archive), "--bundled-python")
    # Running it leaves compiled modules behind.
    run_python(tmp_path / "env", "import json, venv")
    status = main("status", "--venv", tmp_path / "env", "--json")
    assert status.code == 0, status.err
    assert status.data["intact"] is True


def test_status_names_a_file_of_it_that_was_changed(
    archive: Path, install: Main, main: Main, tmp_path: Path
) -> None:
    install(bundled(tmp_path, archive), "--bundled-python")
    library = f"wheelferry/python/lib/python3.{sys.version_info.minor}"
    (tmp_path / "env" / library / "this.py").write_text("changed", encoding="utf-8")
    status = main("status", "--venv", tmp_path / "env")
    assert status.code != 0
    assert f"{library}/this.py" in status.out + status.err


def test_same_bundle_again_changes_nothing(archive: Path, install: Main, tmp_path: Path) -> None:
    bundle = bundled(tmp_path, archive)
    install(bundle, "--bundled-python")
    assert "is up to date" in install(bundle, "--bundled-python").out


def test_upgrade_stays_with_the_python_of_a_bundle(
    archive: Path, install: Main, tmp_path: Path
) -> None:
    install(bundled(tmp_path, archive), "--bundled-python")
    other = bundled(tmp_path, archive, (SCRIPT, make_wheel("other")), name="other.tar.zst")
    done = install(other)
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "env/wheelferry/python").exists()


def test_upgrade_without_a_python_says_that_it_takes_another(
    archive: Path, install: Main, tmp_path: Path
) -> None:
    install(bundled(tmp_path, archive), "--bundled-python")
    bundle = make_bundle(tmp_path / "other.tar.zst", [SCRIPT], keys=[ALICE])
    done = install(bundle)
    assert done.code == 0
    assert "came with a former bundle, and this one brings none that fits" in done.err
    assert not (tmp_path / "env/wheelferry/python").exists()


def test_rollback_brings_the_former_python_back(
    archive: Path, install: Main, main: Main, tmp_path: Path
) -> None:
    install(bundled(tmp_path, archive), "--bundled-python")
    other = bundled(tmp_path, archive, (SCRIPT, make_wheel("other")), name="other.tar.zst")
    assert install(other, "--python", sys.executable).code == 0
    assert not (tmp_path / "env/wheelferry/python").exists()
    assert main("rollback", "--venv", tmp_path / "env").code == 0
    assert base_prefix(tmp_path / "env") == tmp_path / "env/wheelferry/python"


def test_uninstall_takes_it_away(archive: Path, install: Main, main: Main, tmp_path: Path) -> None:
    install(bundled(tmp_path, archive), "--bundled-python")
    assert main("uninstall", "--venv", tmp_path / "env").code == 0
    assert not (tmp_path / "env").exists()


def test_archive_may_be_compressed_with_zstd(install: Main, tmp_path: Path) -> None:
    archive = write(tmp_path / "python.tar.zst", own_tar())
    assert install(bundled(tmp_path, archive), "--bundled-python").code == 0
    run_python(tmp_path / "env", "import pure")


def test_dry_run_unpacks_nothing(archive: Path, install: Main, tmp_path: Path) -> None:
    done = install(bundled(tmp_path, archive), "--bundled-python", "--dry-run")
    assert "would make" in done.out
    assert not (tmp_path / "env").exists()


def test_refuses_an_archive_with_another_hash(archive: Path, install: Main, tmp_path: Path) -> None:
    bundle = bundled(tmp_path, archive)
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    assert install(bundle, "--bundled-python").code == 4
    assert not (tmp_path / "env").exists()


def test_refuses_an_archive_that_breaks_a_rule(install: Main, tmp_path: Path) -> None:
    link = member("bin/python", kind=tarfile.SYMTYPE, link="/usr/bin/python3")
    archive = write(tmp_path / "a.tar.gz", tar_of([interpreter(), link]))
    done = install(bundled(tmp_path, archive), "--bundled-python")
    assert done.code == 4
    assert "links outside" in done.err
    assert not (tmp_path / "env").exists()


def test_refuses_what_is_no_archive(install: Main, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(b"hello" * 500)
    done = install(bundled(tmp_path, archive), "--bundled-python")
    assert done.code == 4
    assert "is not a readable archive" in done.err


def test_refuses_an_archive_with_a_number_that_is_none(install: Main, tmp_path: Path) -> None:
    archive = write(tmp_path / "a.tar.gz", tar_of([interpreter(), odd()]))
    done = install(bundled(tmp_path, archive), "--bundled-python")
    assert done.code == 4
    assert "is not a readable archive" in done.err


def test_refuses_a_python_that_does_not_run(install: Main, tmp_path: Path) -> None:
    archive = write(tmp_path / "a.tar.gz", tar_of([interpreter(text="#!/absent\n")]))
    done = install(bundled(tmp_path, archive), "--bundled-python")
    assert done.code == 5
    assert not (tmp_path / "env").exists()


def test_refuses_a_python_that_is_not_the_one_of_the_target(
    archive: Path, install: Main, tmp_path: Path
) -> None:
    other = make_target(
        parse_platform(host_platform_name()), PythonVersion(minor=sys.version_info.minor + 1)
    )
    done = install(bundled(tmp_path, archive, target=other), "--bundled-python")
    assert done.code == 5
    assert "not what the manifest says" in done.err


def test_refuses_where_the_bundle_brings_none(install: Main, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle.tar.zst", [SCRIPT], keys=[ALICE])
    done = install(bundle, "--bundled-python")
    assert done.code == 5
    assert "--python-archive" in done.err


def test_refuses_another_python_beside_it(install: Main, archive: Path, tmp_path: Path) -> None:
    done = install(bundled(tmp_path, archive), "--bundled-python", "--python", sys.executable)
    assert done.code == 2


def test_newest_python_for_this_host_is_taken(tmp_path: Path) -> None:
    targets = [hosts.target(python=python) for python in ("3.9", "3.12", "3.10")]
    manifest = manifest_with(*targets, tmp_path=tmp_path)
    fit = fit_bundled(manifest, hosts.interpreter(), tmp_path / "env")
    assert fit.target.id == targets[1].id


def test_newest_platform_that_runs_here_is_taken(tmp_path: Path) -> None:
    platforms = ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
    targets = [hosts.target(platform) for platform in platforms]
    manifest = manifest_with(*targets, tmp_path=tmp_path)
    fit = fit_bundled(manifest, hosts.interpreter(), tmp_path / "env")
    assert fit.target.id == targets[1].id


@pytest.mark.parametrize(
    "platform", ["manylinux_2_28_aarch64", "musllinux_1_2_x86_64", "macosx_11_0_arm64"]
)
def test_python_for_another_host_is_not_taken(platform: str, tmp_path: Path) -> None:
    manifest = manifest_with(hosts.target(platform), tmp_path=tmp_path)
    with pytest.raises(UnfitError, match="no Python in the bundle fits"):
        fit_bundled(manifest, hosts.interpreter(), tmp_path / "env")


def test_python_whose_wheels_do_not_run_here_is_not_taken(tmp_path: Path) -> None:
    newer = hosts.target("manylinux_2_99_x86_64")
    wheel = make_wheel("fast", tag="cp312-cp312-manylinux_2_99_x86_64", pure=False)
    archive = described(write(tmp_path / "a.tar.gz", b""), newer.id).archive
    manifest = make_manifest([wheel], [newer], pythons=[archive])
    with pytest.raises(UnfitError):
        fit_bundled(manifest, hosts.interpreter(), tmp_path / "env")


def test_this_host_runs_what_is_made_for_it(tmp_path: Path) -> None:
    manifest = manifest_with(host_target(), tmp_path=tmp_path)
    assert fit_bundled(manifest, this_interpreter(), tmp_path / "env").target == host_target()


def test_manifest_does_not_steer_the_terminal(archive: Path, install: Main, tmp_path: Path) -> None:
    honest = host_target()
    markers = honest.markers.replaced(platform_python_implementation="CPython\x1b[2J\u202e")
    hostile = honest.replaced(markers=markers)
    ran = install(bundled(tmp_path, archive, target=hostile), "--bundled-python", "--dry-run")
    assert "CPython\\x1b[2J\\u202e" in ran.out + ran.err
    assert not set("\x1b\u202e") & set(ran.out + ran.err)


def test_receipt_does_not_steer_the_terminal(
    archive: Path, install: Main, main: Main, tmp_path: Path
) -> None:
    assert install(bundled(tmp_path, archive)).code == 0
    (path,) = (tmp_path / "env").rglob("receipt.json")
    receipt = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**receipt, "tool": "x\x1b[2J\x9b"}), encoding="utf-8")
    ran = main("status", "--venv", tmp_path / "env")
    assert "x\\x1b[2J\\x9b" in ran.out
    assert not set("\x1b\x9b") & set(ran.out + ran.err)
