"""One file that installs itself, with the packages that it really needs."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from support.making.projects import make_project
from support.making.wheels import make_wheel
from support.running.airgap import AIRGAP
from support.running.command import Ran, bundle
from support.running.index import serve
from support.running.pythons import bare_pythons

pytestmark = [pytest.mark.online, pytest.mark.namespace]
PYTHONS = bare_pythons()
EPOCH = "1700000000"


@dataclass(frozen=True)
class Online:
    """The online host: a project, and a home of its own."""

    project: Path
    env: dict[str, str]

    def run(self, *arguments: str | Path) -> Ran:
        ran = bundle(*arguments, cwd=self.project, env=self.env)
        assert ran.code == 0, ran.err
        return ran

    @property
    def signers(self) -> Path:
        return Path(self.env["XDG_CONFIG_HOME"]) / "wheelferry/allowed_signers"

    @property
    def key(self) -> Path:
        return Path(self.env["XDG_CONFIG_HOME"]) / "wheelferry/signing_key.pub"


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    folder = tmp_path_factory.mktemp("online")
    variables = ("HOME", "XDG_CONFIG_HOME", "WHEELFERRY_CACHE_DIR", "UV_CACHE_DIR")
    env = {name: str(folder / name.lower()) for name in variables}
    with serve() as index:
        project = make_project(folder / "project", index, [(make_wheel("pure"), None)])
        yield Online(project, {**env, "SOURCE_DATE_EPOCH": EPOCH})


@pytest.fixture(scope="module")
def carried(online: Online, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for all Pythons of this machine."""
    path = tmp_path_factory.mktemp("usb") / "bundle.pyz"
    pythons = [word for version in PYTHONS for word in ("--python", version)]
    online.run("create", "--self-contained", *pythons, "-o", path)
    return path


@pytest.fixture(scope="module")
def plain(online: Online, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle without an installer."""
    path = tmp_path_factory.mktemp("plain") / "bundle.tar.zst"
    online.run("create", "-o", path)
    return path


@pytest.fixture(scope="module")
def whole(online: Online, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for this Python."""
    path = tmp_path_factory.mktemp("whole") / "bundle.pyz"
    online.run("create", "--self-contained", "-o", path)
    return path


@dataclass(frozen=True)
class FarHost:
    """A host without network and packages, whose home and temporary folder are empty."""

    folder: Path

    def run(self, python: Path, *arguments: str | Path) -> Ran:
        for name in ("home", "tmp"):
            (self.folder / name).mkdir(exist_ok=True)
        run = subprocess.run(
            [*AIRGAP, python, "-I", "-S", *arguments],
            cwd=self.folder,
            env={
                "HOME": str(self.folder / "home"),
                "TMPDIR": str(self.folder / "tmp"),
                "XDG_STATE_HOME": str(self.folder / "state"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in run.stderr, run.stderr
        assert list((self.folder / "tmp").iterdir()) == []
        return Ran(code=run.returncode, out=run.stdout, err=run.stderr)

    def demo(self, environment: str) -> str:
        program = self.folder / environment / "bin/demo"
        return subprocess.run([program], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def far(tmp_path: Path) -> FarHost:
    return FarHost(tmp_path)


@pytest.mark.parametrize("version", PYTHONS)
def test_bare_python_ends_with_the_program_running(
    version: str, online: Online, carried: Path, far: FarHost
) -> None:
    ran = far.run(PYTHONS[version], carried, "--allowed-signers", online.signers, "--venv", "X")
    assert ran.code == 0, ran.err
    assert far.demo("X") == "demo runs\n"
    assert list((far.folder / "home").iterdir()) == []


def test_host_that_trusts_nobody_yet_does_not_install(carried: Path, far: FarHost) -> None:
    assert far.run(next(iter(PYTHONS.values())), carried).code == 3
    assert not (far.folder / ".venv").exists()


def test_signer_is_trusted_with_the_same_file(online: Online, carried: Path, far: FarHost) -> None:
    python = next(iter(PYTHONS.values()))
    added = far.run(python, carried, "trust", "add", "--yes", online.key)
    assert added.code == 0, added.err
    verified = far.run(python, carried, "verify")
    assert verified.code == 0, verified.err
    assert "bundle.pyz is intact" in verified.out


def test_other_commands_find_all_that_they_need(
    online: Online, carried: Path, far: FarHost
) -> None:
    python = next(iter(PYTHONS.values()))
    trusted = ("--allowed-signers", online.signers)
    for arguments in (
        ("unpack", "wheels", *trusted),
        ("verify", *trusted),
        ("show", "--sbom"),
        ("target",),
        ("install", "--target", "folder", *trusted),
        ("status", "--target", "folder"),
        ("uninstall", "--target", "folder"),
    ):
        ran = far.run(python, carried, *arguments)
        assert ran.code == 0, ran.err


def test_faster_inflating_comes_along(carried: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(carried) as whole:
        for name in whole.namelist():
            if name.startswith("installer/isal"):
                with whole.open(name) as inner, zipfile.ZipFile(inner) as files:
                    files.extractall(tmp_path / "isal")
    command = (sys.executable, "-S", "-c", "from isal import isal_zlib")
    subprocess.run(command, cwd=tmp_path / "isal", check=True)


def test_python_to_install_for_may_be_another(online: Online, carried: Path, far: FarHost) -> None:
    oldest, *_, newest = [*PYTHONS.values(), *PYTHONS.values()]
    options = ("--allowed-signers", online.signers, "--python", oldest)
    ran = far.run(newest, carried, "install", *options)
    assert ran.code == 0, ran.err
    assert os.path.realpath(far.folder / ".venv/bin/python") == os.path.realpath(oldest)


def test_hints_name_the_file(carried: Path, far: FarHost) -> None:
    ran = far.run(next(iter(PYTHONS.values())), carried, "trust", "remove", "bob")
    assert ran.err.endswith(f"hint: see: python3 {carried} trust list\n")
    ran = far.run(next(iter(PYTHONS.values())), carried, "creat")
    assert ran.err.endswith(f"hint: see: python3 {carried} --help\n")


def test_shell_completes_the_file_as_a_program(carried: Path, far: FarHost) -> None:
    path = os.pathsep.join((os.fspath(Path(sys.executable).parent), "/usr/bin", "/bin"))
    typed = (
        f'eval "$(_BUNDLE_COMPLETE=bash_source {carried})"; '
        f"COMP_WORDS=({carried} instal); COMP_CWORD=1; _bundlepyz_completion {carried}; "
        'echo "${COMPREPLY[*]}"'
    )
    ran = subprocess.run(
        ["bash", "-c", typed],
        cwd=far.folder,
        env={"PATH": path, "HOME": os.fspath(far.folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "install\n"


def test_what_a_run_left_that_was_killed_at_once_is_removed(carried: Path, far: FarHost) -> None:
    left = far.folder / "tmp/wheelferry-abcdefgh.run"
    left.mkdir(parents=True)
    os.utime(left, (1, 1))
    # `run` looks for what is left.
    far.run(next(iter(PYTHONS.values())), carried, "--version")


def test_is_the_same_file_each_time(online: Online, whole: Path, tmp_path: Path) -> None:
    seeded = replace(online, env={**online.env, "PYTHONHASHSEED": "1"})
    seeded.run("create", "--self-contained", "-o", tmp_path / "again")
    assert whole.read_bytes() == (tmp_path / "again").read_bytes()


def test_installer_adds_at_most_12_megabytes(plain: Path, whole: Path) -> None:
    assert whole.stat().st_size - plain.stat().st_size <= 12_000_000


def test_installer_alone_installs_what_comes_later(
    online: Online, plain: Path, tmp_path: Path, far: FarHost
) -> None:
    online.run("bootstrap", "-o", tmp_path / "wheelferry.pyz")
    here = PYTHONS[f"3.{sys.version_info.minor}"]
    arguments = ("install", plain, "--allowed-signers", online.signers)
    ran = far.run(here, tmp_path / "wheelferry.pyz", *arguments)
    assert ran.code == 0, ran.err
    assert far.demo(".venv") == "demo runs\n"


def test_bundle_that_two_signed_becomes_one_file(
    online: Online, plain: Path, tmp_path: Path, far: FarHost
) -> None:
    bob = tmp_path / "bob"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bob", "-f", bob], check=True
    )
    shutil.copy(plain, tmp_path / "bundle.tar.zst")
    online.run("sign", tmp_path / "bundle.tar.zst", "--key", bob)
    online.run("bootstrap", "--bundle", tmp_path / "bundle.tar.zst", "-o", tmp_path / "both.pyz")
    python = PYTHONS[f"3.{sys.version_info.minor}"]
    for key in (online.key, bob.with_suffix(".pub")):
        assert far.run(python, tmp_path / "both.pyz", "trust", "add", "--yes", key).code == 0
    ran = far.run(python, tmp_path / "both.pyz", "--require-signatures", "2")
    assert ran.code == 0, ran.err
    assert far.demo(".venv") == "demo runs\n"


def test_installed_command_reads_the_bundle_in_it(online: Online, carried: Path) -> None:
    assert "bundle.pyz is intact" in online.run("verify", carried).out
