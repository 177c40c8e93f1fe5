"""What comes after the first installation: updates, rollback, status, age."""

import os
import platform
from pathlib import Path

import pytest

from support.making.bundles import make_bundle, make_key, trust
from support.making.projects import make_project
from support.making.wheels import make_wheel
from support.running.command import bundle, succeed, tree
from support.running.index import LocalIndex
from wheelferry_bundler.sign.signing_keys import SigningKey


@pytest.fixture
def key(config_folder: Path) -> SigningKey:
    """A key that this host trusts."""
    key = make_key()
    trust(config_folder / "allowed_signers", key)
    return key


@pytest.fixture
def installed(tmp_path: Path, key: SigningKey) -> Path:
    """A folder in which version 1.0 of `pure` is installed, then 2.0."""
    folder = tmp_path / "far"
    folder.mkdir()
    for version in ("1.0", "2.0"):
        path = make_bundle(
            tmp_path / f"{version}.tar.zst", [make_wheel("pure", version)], keys=[key]
        )
        succeed("install", path, "--no-sync", cwd=folder)
    return folder


def versions(folder: Path) -> list[str]:
    """Return which dist-info folders are in the environment."""
    return sorted(path.name for path in (folder / ".venv").rglob("*.dist-info"))


def test_update_replaces_the_environment_as_a_whole(installed: Path) -> None:
    assert versions(installed) == ["pure-2.0.dist-info"]


def test_rollback_puts_the_environment_before_back(installed: Path) -> None:
    succeed("rollback", cwd=installed)
    assert versions(installed) == ["pure-1.0.dist-info"]
    succeed("rollback", cwd=installed)
    assert versions(installed) == ["pure-2.0.dist-info"]


def test_rollback_without_anything_to_go_back_to(tmp_path: Path, key: SigningKey) -> None:
    path = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")], keys=[key])
    folder = tmp_path / "far"
    folder.mkdir()
    succeed("install", path, "--no-sync", cwd=folder)
    before = tree(folder)
    assert bundle("rollback", cwd=folder).code == 8
    assert tree(folder) == before


def test_first_installation_leaves_nothing_beside_the_environment(
    tmp_path: Path, key: SigningKey
) -> None:
    path = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")], keys=[key])
    folder = tmp_path / "far"
    folder.mkdir()
    succeed("install", path, "--no-sync", cwd=folder)
    assert os.listdir(folder) == [".venv"]


def test_status_of_an_intact_environment(installed: Path) -> None:
    status = succeed("status", "--json", cwd=installed).data
    assert status["intact"]
    assert status["added"] == []
    assert [package["version"] for package in status["receipt"]["packages"]] == ["2.0"]
    assert [package["version"] for package in status["previous"]["packages"]] == ["1.0"]


def test_status_names_what_was_changed(installed: Path) -> None:
    site_packages = next((installed / ".venv").rglob("site-packages"))
    (site_packages / "pure.py").write_text("changed = True\n")
    (installed / ".venv/pyvenv.cfg").unlink()
    (site_packages / "stranger.py").write_text("")
    ran = bundle("status", cwd=installed)
    assert ran.code == 4
    assert "changed: lib/python" in ran.err
    assert "missing: pyvenv.cfg" in ran.err
    assert "1 file came since" in ran.out


def test_status_sees_a_changed_record(installed: Path) -> None:
    record = next((installed / ".venv").rglob("RECORD"))
    record.write_text(record.read_text().replace("pure.py,", "other.py,"))
    ran = bundle("status", cwd=installed)
    assert ran.code == 4
    assert "RECORD" in ran.err


@pytest.mark.parametrize("options", [(), ("--reinstall",)])
def test_install_puts_back_what_is_missing(
    installed: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    module = next((installed / ".venv").rglob("pure.py"))
    module.unlink()
    succeed("install", tmp_path / "2.0.tar.zst", *options, "--no-sync", cwd=installed)
    assert module.exists()


def test_status_of_something_else(tmp_path: Path) -> None:
    assert bundle("status", cwd=tmp_path).code == 2


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Path:
    return make_project(tmp_path / "project", index, [(make_wheel("pure"), None)], built=False)


def test_older_bundle_is_refused(project: Path, tmp_path: Path) -> None:
    far = tmp_path / "far"
    far.mkdir()
    for name, epoch in (("new", "1700000001"), ("old", "1700000000")):
        succeed("create", "-o", tmp_path / name, cwd=project, env={"SOURCE_DATE_EPOCH": epoch})
    succeed("install", tmp_path / "new", "--no-sync", cwd=far)
    before = tree(far)
    refused = bundle("install", tmp_path / "old", "--no-sync", cwd=far)
    assert refused.code == 6
    assert "--allow-downgrade" in refused.err
    assert tree(far) == before
    succeed("install", tmp_path / "old", "--no-sync", "--allow-downgrade", cwd=far)


def test_older_bundle_is_refused_elsewhere_and_after_uninstall(
    project: Path, tmp_path: Path
) -> None:
    for name, epoch in (("new", "1700000001"), ("old", "1700000000")):
        succeed("create", "-o", tmp_path / name, cwd=project, env={"SOURCE_DATE_EPOCH": epoch})
    succeed("install", tmp_path / "new", "--no-sync", cwd=tmp_path)
    succeed("uninstall", cwd=tmp_path)
    for place in ((), ("--venv", "elsewhere"), ("--target", "folder"), ("--dry-run",)):
        refused = bundle("install", tmp_path / "old", *place, cwd=tmp_path)
        assert refused.code == 6
        assert "is older than the newest bundle of 'demo' that was installed here" in refused.err
    assert not (tmp_path / "elsewhere").exists()
    options = ("--allow-downgrade", "--no-sync")
    succeed("install", tmp_path / "old", *options, cwd=tmp_path)
    # Going back on purpose makes nothing forgotten.
    assert bundle("install", tmp_path / "old", "--venv", "elsewhere", cwd=tmp_path).code == 6


def test_bundle_of_another_project_is_refused(tmp_path: Path, index: LocalIndex) -> None:
    index.add(make_wheel("pure"))
    env = {"UV_DEFAULT_INDEX": index.simple_url}
    for project, *options in (("one",), ("two",), ("three", "--name", "One")):
        folder = tmp_path / project
        folder.mkdir()
        (folder / "requirements.txt").write_text("pure\n")
        succeed("create", *options, "-o", tmp_path / f"{project}.tar.zst", cwd=folder, env=env)
    succeed("install", tmp_path / "one.tar.zst", "--no-sync", cwd=tmp_path)
    before = tree(tmp_path / ".venv")
    for more in ((), ("--dry-run",), ("--reinstall", "--allow-downgrade")):
        refused = bundle("install", tmp_path / "two.tar.zst", *more, cwd=tmp_path)
        assert refused.code == 8
        told = f"{tmp_path / '.venv'} belongs to 'one', but two.tar.zst is a bundle of 'two'"
        assert told in refused.err
        assert "--replace" in refused.err
    assert tree(tmp_path / ".venv") == before
    succeed("install", tmp_path / "three.tar.zst", "--no-sync", cwd=tmp_path)
    succeed("install", tmp_path / "two.tar.zst", "--no-sync", "--replace", cwd=tmp_path)


@pytest.mark.parametrize("time", ["0d", "00w", "-1d", "tomorrow", "2020-01-01"])
def test_time_that_no_bundle_can_expire_at(project: Path, time: str) -> None:
    ran = bundle("create", "--expires", time, cwd=project)
    assert ran.code == 2
    assert "hint:" in ran.err
    assert not (project / "bundle.tar.zst").exists()


def test_expired_bundle_is_refused(project: Path, tmp_path: Path) -> None:
    env = {"SOURCE_DATE_EPOCH": "1700000000"}
    succeed("create", "--expires", "90d", cwd=project, env=env)
    ran = bundle("install", project / "bundle.tar.zst", cwd=tmp_path)
    assert ran.code == 6
    assert "expired at 2024-02-12T22:13:20Z" in ran.err


def test_bundle_from_the_future_shuts_nothing_out(project: Path, tmp_path: Path) -> None:
    for name, epoch in (("good", "1700000000"), ("future", "4000000000")):
        succeed("create", "-o", tmp_path / name, cwd=project, env={"SOURCE_DATE_EPOCH": epoch})
    for command, *options in (("verify",), ("install",), ("install", "--dry-run"), ("unpack", "x")):
        ran = bundle(command, tmp_path / "future", *options, cwd=tmp_path)
        assert ran.code == 6
        assert "the bundle was made at 2096-10-02T07:06:40Z, and by this host's clock" in ran.err
    succeed("install", tmp_path / "future", "--allow-future", "--no-sync", cwd=tmp_path)
    succeed("install", tmp_path / "good", "--venv", "other", "--no-sync", cwd=tmp_path)


def test_described_host_is_a_target(project: Path, tmp_path: Path) -> None:
    described = succeed("target", cwd=tmp_path)
    (tmp_path / "target.json").write_text(described.out)
    succeed("create", "--target", tmp_path / "target.json", cwd=project)
    shown = succeed("show", "--json", "bundle.tar.zst", cwd=project).data
    (target,) = shown["manifest"]["targets"]
    assert target["markers"]["python_full_version"] == platform.python_version()
    assert target["assumed"] == []
    succeed("install", project / "bundle.tar.zst", "--no-sync", cwd=tmp_path)


def test_description_that_is_none(project: Path, tmp_path: Path) -> None:
    (tmp_path / "target.json").write_text("{}")
    ran = bundle("create", "--target", tmp_path / "target.json", cwd=project)
    assert ran.code == 4
    assert "bundle target" in ran.err


def test_diff_tells_what_an_update_changes(installed: Path, tmp_path: Path) -> None:
    ran = succeed("diff", tmp_path / "1.0.tar.zst", tmp_path / "2.0.tar.zst", cwd=installed)
    assert ran.out.endswith(": pure 1.0 -> 2.0\n1 changed\n")
    assert ran.out.startswith("~ ")


def test_diff_of_the_same_bundle(installed: Path, tmp_path: Path) -> None:
    ran = succeed("diff", tmp_path / "1.0.tar.zst", tmp_path / "1.0.tar.zst", cwd=installed)
    assert ran.out == "the same wheels\n"
