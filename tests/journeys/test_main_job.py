"""The main job, on both sides: create here, carry, install there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.making.projects import compiled, make_project
from support.making.wheels import make_wheel
from support.running.airgap import AIRGAP
from support.running.command import bundle, succeed, tree
from support.running.index import LocalIndex

LINUX = ("--platform", "manylinux_2_28_x86_64", "--python", "3.12")


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Path:
    """The project demo: needs `pure`, tests with `tester`, which on Windows needs `colours`."""
    colours = make_wheel("colours", "0.4")
    pure = make_wheel("pure", entry_points="[console_scripts]\npure = pure:main\n")
    return make_project(
        tmp_path / "project",
        index,
        dependencies=[(pure, None)],
        dev=[(make_wheel("tester"), None), (colours, "sys_platform == 'win32'")],
    )


def _names(shown: dict[str, dict[str, list[dict[str, str]]]]) -> list[str]:
    return [package["name"] for package in shown["manifest"]["packages"]]


def test_bundle_crosses_and_runs(project: Path, tmp_path: Path) -> None:
    created = succeed("create", cwd=project)
    assert "signed by" in created.out
    far = tmp_path / "far"
    far.mkdir()
    (project / "bundle.tar.zst").rename(far / "bundle.tar.zst")
    installed = succeed("install", "bundle.tar.zst", cwd=far)
    assert "installed 3 packages" in installed.out
    run = subprocess.run([far / ".venv/bin/demo"], capture_output=True, text=True, check=True)
    assert run.stdout == "demo runs\n"


def test_linux_bundle_does_not_hold_what_only_windows_needs(project: Path) -> None:
    succeed("create", *LINUX, cwd=project)
    assert _names(succeed("show", "--json", "bundle.tar.zst", cwd=project).data) == [
        "demo",
        "pure",
        "tester",
    ]


def test_windows_bundle_holds_what_only_windows_needs(project: Path) -> None:
    succeed("create", "--platform", "win_amd64", "--python", "3.12", cwd=project)
    assert "colours" in _names(succeed("show", "--json", "bundle.tar.zst", cwd=project).data)


def test_project_files_stay_as_they_are(project: Path, tmp_path: Path) -> None:
    before = tree(project)
    succeed("create", "-o", tmp_path / "bundle.tar.zst", cwd=project)
    assert tree(project) == before


def test_two_runs_give_the_same_bytes(project: Path) -> None:
    for name, seed in (("one", "1"), ("two", "2")):
        env = {"SOURCE_DATE_EPOCH": "1700000000", "PYTHONHASHSEED": seed}
        succeed("create", "-o", name, cwd=project, env=env)
    assert (project / "one").read_bytes() == (project / "two").read_bytes()


def test_several_targets_share_their_wheels(project: Path, index: LocalIndex) -> None:
    platforms = ("--platform", "win_amd64", "--platform", "manylinux_2_28_x86_64")
    succeed("create", *platforms, "--python", "3.11", "--python", "3.12", cwd=project)
    shown = succeed("show", "--json", "bundle.tar.zst", cwd=project).data["manifest"]
    assert [target["id"] for target in shown["targets"]] == [
        "cp311-manylinux_2_28_x86_64",
        "cp311-win_amd64",
        "cp312-manylinux_2_28_x86_64",
        "cp312-win_amd64",
    ]
    pure = next(package for package in shown["packages"] if package["name"] == "pure")
    assert len(pure["targets"]) == 4
    assert len(index.file_requests("pure-1.0-py3-none-any.whl")) == 1


def test_dry_run_shows_the_selection_and_fetches_nothing(project: Path, index: LocalIndex) -> None:
    ran = succeed("create", *LINUX, "--dry-run", "--json", cwd=project)
    (target,) = ran.data["targets"]
    assert target["id"] == "cp312-manylinux_2_28_x86_64"
    assert target["packages"][1] == {
        "name": "pure",
        "version": "1.0",
        "source": "registry",
        "filename": "pure-1.0-py3-none-any.whl",
        "sha256": index.hashes["pure-1.0-py3-none-any.whl"],
        "size": len(index.files["pure-1.0-py3-none-any.whl"]),
    }
    assert ran.data["problems"] == []
    assert index.requests == []
    assert not (project / "bundle.tar.zst").exists()


def test_says_that_the_dev_group_is_in(project: Path) -> None:
    told = "included by default, as in uv sync: dependency group dev (--no-dev excludes it)"
    assert told in succeed("create", *LINUX, "--dry-run", cwd=project).err
    for flags in (("--no-dev",), ("--group", "dev"), ("--quiet",)):
        assert told not in succeed("create", *LINUX, *flags, "--dry-run", cwd=project).err


def test_dev_group_can_be_left_out(project: Path) -> None:
    ran = succeed("create", *LINUX, "--no-dev", "--dry-run", "--json", cwd=project)
    assert [p["name"] for p in ran.data["targets"][0]["packages"]] == ["demo", "pure"]


def test_plain_tar_lists_the_bundle(project: Path) -> None:
    succeed("create", cwd=project)
    run = subprocess.run(
        ["tar", "--zstd", "-tf", "bundle.tar.zst"],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines() == [
        "manifest.json",
        "signatures/1.sig",
        "pylock.toml",
        "requirements.txt",
        "sbom.cdx.json",
        "wheels/demo-1.0-py3-none-any.whl",
        "wheels/pure-1.0-py3-none-any.whl",
        "wheels/tester-1.0-py3-none-any.whl",
    ]


def test_stock_tools_verify_the_bundle(project: Path, config_folder: Path, tmp_path: Path) -> None:
    succeed("create", cwd=project)
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", project / "bundle.tar.zst", "-C", out], check=True)
    signers = config_folder / "allowed_signers"
    name = signers.read_text().split()[0]
    with (out / "manifest.json").open("rb") as manifest:
        subprocess.run(
            [
                *("ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", name),
                *("-n", "wheelferry.bundle.v1", "-s", str(out / "signatures/1.sig")),
            ],
            stdin=manifest,
            check=True,
            capture_output=True,
        )


def test_second_signer_is_taken_by_a_host_that_knows_only_them(
    project: Path, tmp_path: Path
) -> None:
    for name in ("alice", "bob"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", tmp_path / name],
            check=True,
        )
    succeed("create", "--key", tmp_path / "alice", "--key", tmp_path / "bob", cwd=project)
    env = {"XDG_CONFIG_HOME": str(tmp_path / "far-config")}
    succeed("trust", "add", "--yes", tmp_path / "bob.pub", cwd=project, env=env)
    verified = succeed("verify", "--json", "bundle.tar.zst", cwd=project, env=env)
    assert [(s["name"], s["accepted"]) for s in verified.data["signers"]] == [
        (None, False),
        ("bob", True),
    ]


@pytest.mark.namespace
def test_installs_in_a_namespace_without_network(project: Path, tmp_path: Path) -> None:
    succeed("create", cwd=project)
    ran = bundle(
        "install",
        project / "bundle.tar.zst",
        cwd=tmp_path,
        prefix=AIRGAP,
    )
    assert ran.code == 0, ran.err
    assert (tmp_path / ".venv/bin/demo").exists()


def test_wheel_of_a_foreign_platform_is_not_taken(tmp_path: Path, index: LocalIndex) -> None:
    files = compiled("fast", "2.0", "win_amd64", "manylinux_2_17_x86_64", "macosx_11_0_arm64")
    project = make_project(tmp_path / "p", index, [(file, None) for file in files])
    ran = succeed("create", *LINUX, "--dry-run", "--json", cwd=project)
    assert [p["filename"] for p in ran.data["targets"][0]["packages"]] == [
        None,
        "fast-2.0-cp312-cp312-manylinux_2_17_x86_64.whl",
    ]


@pytest.mark.online
def test_example_with_packages_from_pypi(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples/numpy-pytest"
    run = subprocess.run(
        ["sh", example / "demo.sh", Path(sys.executable).parent],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout
