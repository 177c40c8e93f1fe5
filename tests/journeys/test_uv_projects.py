"""uv's workflow on the air-gapped host: `bundle unpack --uv-lock`, `uv sync --frozen --offline`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uv

from support.making.bundles import host_target, make_bundle, make_key, trust
from support.making.locks import INDEX, package, uv_lock
from support.making.wheels import TinyWheel, make_wheel
from support.making.workspaces import NAMES, make_workspace
from support.running.airgap import AIRGAP
from support.running.command import make_own_key, succeed, tree
from support.running.homes import move_home
from support.running.hosts import target
from support.running.index import LocalIndex, serve

UV = Path(uv.find_uv_bin())
EXAMPLE = Path(__file__).parents[2] / "examples/numpy-pytest"
BASE = {f"{name}-1.0" for name in NAMES}


@dataclass(frozen=True, slots=True)
class Online:
    """The online host: a workspace with sources of all kinds, locked, and bundles of it."""

    project: Path
    index: LocalIndex
    env: dict[str, str]
    bundles: dict[tuple[str, ...], Path] = field(default_factory=dict)

    def bundle(self, *options: str) -> Path:
        """Return the bundle that `create` makes with these options; each is made once."""
        if options not in self.bundles:
            path = self.project.parent / f"{len(self.bundles)}.tar.zst"
            succeed("create", *options, "-o", path, cwd=self.project, env=self.env)
            self.bundles[options] = path
        return self.bundles[options]


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    folder = tmp_path_factory.mktemp("online")
    with serve() as index:
        with pytest.MonkeyPatch.context() as patch:
            move_home(tmp_path_factory.mktemp("home"), patch)
            patch.setenv("UV_DEFAULT_INDEX", index.simple_url)
            project = make_workspace(folder / "demo", index)
            env = dict(os.environ)
        yield Online(project, index, env)


@pytest.fixture
def project(
    online: Online, tmp_path: Path, config_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of the workspace, on a host that trusts who signed its bundles."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", online.index.simple_url)
    make_own_key(online.env)
    shutil.copytree(Path(online.env["XDG_CONFIG_HOME"]) / "wheelferry", config_folder)
    return shutil.copytree(online.project, tmp_path / "online/demo", symlinks=True)


def run_as_told(told: str, cwd: Path, prefix: tuple[str, ...] = ()) -> None:
    """Run the command that `unpack` printed, with an empty cache."""
    (line,) = (line for line in told.splitlines() if line.startswith("use it: "))
    run = subprocess.run(
        [*prefix, "sh", "-ec", line.removeprefix("use it: ")],
        cwd=cwd,
        env={
            # uv makes no environment from the Python of another one: it takes the one behind it.
            "PATH": os.pathsep.join((str(UV.parent), f"{sys.base_prefix}/bin", "/bin")),
            "HOME": os.environ["HOME"],
            "UV_CACHE_DIR": str(cwd / "empty-cache"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def installed(environment: Path) -> set[str]:
    infos = environment.glob("lib/python3*/site-packages/*.dist-info")
    return {info.name.removesuffix(".dist-info") for info in infos}


def says(environment: Path, module: str) -> str:
    code = f"import {module}; print({module}.NAME)"
    # Python must not leave compiled modules in a project that is to stay as it was.
    command = (environment / "bin/python", "-B", "-c", code)
    run = subprocess.run(command, capture_output=True, check=True)
    return run.stdout.decode().strip()


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ((), BASE | {"tester-1.0"}),
        (("--no-dev", "--extra", "plot"), BASE | {"plotter-1.0"}),
        (("--only-group", "docs"), {"writer-1.0"}),
        (
            ("--all-groups", "--no-install-project"),
            (BASE - {"demo-1.0"}) | {"tester-1.0", "writer-1.0"},
        ),
        (("--package", "lib"), {"lib-1.0"}),
    ],
)
def test_uv_sync_gives_what_install_gives(
    online: Online, project: Path, tmp_path: Path, flags: tuple[str, ...], wanted: set[str]
) -> None:
    bundle = online.bundle(*flags)
    asked = len(online.index.requests)
    told = succeed("unpack", bundle, "far", "--uv-lock", project, cwd=tmp_path)
    run_as_told(told.out, tmp_path)
    succeed("install", bundle, cwd=tmp_path)
    assert installed(tmp_path / "far/.venv") == wanted
    assert installed(tmp_path / ".venv") == wanted
    assert len(online.index.requests) == asked


def test_nothing_but_the_folder_is_needed(
    tmp_path: Path, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.simple_url)
    project = make_workspace(tmp_path / "online/demo", index)
    succeed("create", "-o", tmp_path / "bundle.tar.zst", cwd=project)
    before = tree(project)
    told = succeed("unpack", "bundle.tar.zst", "far", "--uv-lock", project, cwd=tmp_path)
    assert tree(project) == before
    project.parent.rename(tmp_path / "gone")
    run_as_told(told.out, tmp_path)
    assert says(tmp_path / "far/.venv", "demo") == "demo"


def test_editable_project_is_installed_as_it_lies_there(
    online: Online, project: Path, tmp_path: Path
) -> None:
    bundle = online.bundle("--with-build-deps")
    told = succeed("unpack", bundle, "far", "--uv-lock", project, "--editable", cwd=tmp_path)
    run_as_told(told.out, tmp_path)
    assert installed(tmp_path / "far/.venv") == BASE | {"tester-1.0"}
    assert says(tmp_path / "far/.venv", "demo") == "as it lies there"


def test_in_place_and_back(online: Online, project: Path, tmp_path: Path) -> None:
    bundle = online.bundle("--with-build-deps")
    before = tree(project)
    told = succeed(
        *("unpack", bundle, "far", "--uv-lock", project, "--editable", "--in-place"), cwd=tmp_path
    )
    run_as_told(told.out, tmp_path)
    assert says(project / ".venv", "demo") == "as it lies there"
    subprocess.run(["rm", "-r", project / ".venv"], check=True)
    succeed("unpack", "--undo", project, cwd=tmp_path)
    assert tree(project) == before


def test_bundle_for_several_targets(online: Online, project: Path, tmp_path: Path) -> None:
    minor = f"3.{sys.version_info.minor}"
    here = ("--platform", "linux", "--python", minor)
    bundle = online.bundle(*here, "--platform", "win_amd64", "--python", "3.9")
    told = succeed("unpack", bundle, "far", "--uv-lock", project, cwd=tmp_path)
    (tmp_path / "far/.python-version").write_text(f"{minor}\n", encoding="utf-8")
    run_as_told(told.out, tmp_path)
    assert installed(tmp_path / "far/.venv") == BASE | {"tester-1.0"}


def test_one_of_several_targets(online: Online, project: Path, tmp_path: Path) -> None:
    minor = f"3.{sys.version_info.minor}"
    here = ("--platform", "linux", "--python", minor)
    bundle = online.bundle(*here, "--platform", "win_amd64", "--python", "3.9")
    chosen = succeed("install", "--dry-run", "--json", bundle, cwd=tmp_path).data["target"]
    options = ("--uv-lock", project, "--target", chosen)
    told = succeed("unpack", bundle, "far", *options, cwd=tmp_path)
    # It names the Python, which the bundle as a whole could not.
    run_as_told(told.out, tmp_path)
    assert installed(tmp_path / "far/.venv") == BASE | {"tester-1.0"}


def test_one_version_from_two_indexes(tmp_path: Path, config_folder: Path) -> None:
    here, windows = host_target(), target("win_amd64", "3.12")
    ours = make_wheel("torch", tag=f"py3-none-{here.platforms[0]}")
    theirs = make_wheel("torch", tag="py3-none-win_amd64")
    key = make_key()
    trust(config_folder / "allowed_signers", key)
    make_bundle(tmp_path / "bundle.tar.zst", [ours, theirs], keys=[key], targets=[here, windows])
    (tmp_path / "project").mkdir()
    (tmp_path / "project/pyproject.toml").write_text(
        "[project]\nname = 'demo'\nversion = '1.0'\n", encoding="utf-8"
    )
    other = 'registry = "https://other.example/simple"'
    needs = [
        f'{{ name = "torch", version = "1.0", source = {{ {source} }}, marker = "{marker}" }}'
        for source, marker in (
            (f'registry = "{INDEX}"', "sys_platform == 'win32'"),
            (other, "sys_platform != 'win32'"),
        )
    ]
    (tmp_path / "project/uv.lock").write_bytes(
        uv_lock(
            _locked(theirs, source=f'registry = "{INDEX}"'),
            _locked(ours, source=other),
            package("demo", source='virtual = "."', wheels=(), needs=needs),
        )
    )
    told = succeed("unpack", "bundle.tar.zst", "far", "--uv-lock", "project", cwd=tmp_path)
    run_as_told(told.out, tmp_path)
    assert installed(tmp_path / "far/.venv") == {"torch-1.0"}


def _locked(wheel: TinyWheel, source: str) -> str:
    url = f"https://files.example/{wheel.file_name}"
    files = f'wheels = [{{ url = "{url}", hash = "sha256:{wheel.sha256}" }}]'
    return package("torch", source=source, wheels=(), more=files)


@pytest.mark.ends
@pytest.mark.online
@pytest.mark.namespace
def test_numpy_and_pytest_as_in_uv_issue_9277(tmp_path: Path) -> None:
    project = tmp_path / "online"
    subprocess.run(["cp", "-r", EXAMPLE, project], check=True)
    subprocess.run([UV, "lock", "--quiet"], cwd=project, check=True)
    files = [project / name for name in ("pyproject.toml", "uv.lock")]
    before = [path.read_bytes() for path in files]
    minor = f"3.{sys.version_info.minor}"
    target = ("--platform", "manylinux_2_28_x86_64", "--python", minor)
    succeed("create", *target, "-o", tmp_path / "bundle.tar.zst", cwd=project)
    told = succeed("unpack", "bundle.tar.zst", "far", "--uv-lock", project, cwd=tmp_path)
    run_as_told(told.out, tmp_path, prefix=AIRGAP)
    succeed("install", "bundle.tar.zst", cwd=tmp_path)
    assert installed(tmp_path / "far/.venv") == installed(tmp_path / ".venv")
    assert {"numpy", "pytest"} <= {name.split("-")[0] for name in installed(tmp_path / ".venv")}
    subprocess.run([tmp_path / "far/.venv/bin/numpy-pytest"], check=True)
    assert [path.read_bytes() for path in files] == before
