from __future__ import annotations

import dataclasses
import hashlib
import io
import runpy
import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from support.making.bundles import host_target
from support.making.sources import (
    make_repository,
    make_sdist,
    make_source,
    pack_source,
    source_files,
)
from support.making.wheels import TinyWheel, make_wheel
from support.running.index import LocalIndex
from wheelferry_bundler.build import build_python, building
from wheelferry_bundler.build.build_python import BuildPython
from wheelferry_bundler.build.building import Built, build_all, check_fit
from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.fetch.fetching import Fetched
from wheelferry_bundler.fetch.wheel_folders import list_folders
from wheelferry_bundler.model.locations import Index, Locations
from wheelferry_bundler.model.locked import Artifact, LockedPackage, PackageKey, PackageSource
from wheelferry_bundler.model.options import BuildOptions, check_allowed
from wheelferry_bundler.read.targets import make_target, parse_python
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_schemas.errors import BuildError, UnfitError
from wheelferry_schemas.target import Target

HERE = f"cp3{sys.version_info.minor}"
OTHER = "3.9" if sys.version_info >= (3, 10) else "3.10"


@pytest.fixture(autouse=True)
def _pip_without_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("BUILDS", str(tmp_path / "builds.txt"))
    for variable in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds without pip: for what is done before and after it runs."""
    monkeypatch.setattr(building, "pip_wheel", build_quickly)


def build_quickly(
    what: str, arguments: Sequence[str], interpreter: BuildPython, locations: Locations, log: Path
) -> None:
    """Call the backend of a project as `pip wheel` does, but in this process."""
    del interpreter, locations, log
    source, out = Path(arguments[-1]), Path(arguments[arguments.index("--wheel-dir") + 1])
    out.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        if source.is_file():
            shutil.unpack_archive(source, folder)
            (source,) = Path(folder).iterdir()
        settings = [word for word in arguments if word.startswith("--config-settings=")]
        try:
            backend = runpy.run_path(str(source / "backend.py"))
            backend["build_wheel"](str(out), settings)
        except SystemExit as failed:
            raise BuildError(what, details=(str(failed),)) from None


def builds(tmp_path: Path) -> list[str]:
    """Return what the backends of this test were asked to build."""
    path = tmp_path / "builds.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def target_of(platform: str, python: str = f"3.{sys.version_info.minor}") -> Target:
    return make_target(parse_platform(platform), parse_python(python))


def locked(
    source: PackageSource, sdist: Artifact | None = None, name: str = "demo"
) -> LockedPackage:
    key = PackageKey(name=name, version="1.0", source="")
    return LockedPackage(key=key, source=source, sdist=sdist)


def directory(path: Path, name: str = "demo") -> LockedPackage:
    return locked(PackageSource(kind="directory", location=".", path=path), name=name)


def sdist_package(
    folder: Path, data: bytes, *, name: str = "demo", subdirectory: str | None = None
) -> tuple[LockedPackage, Mapping[Artifact, Fetched]]:
    """Return a package whose source archive is in a folder, and the archive as it was fetched."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.fetched"
    path.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    sdist = Artifact(file_name=f"{name}-1.0.tar.gz", sha256=sha256, size=len(data))
    source = PackageSource(kind="registry", location="the index", subdirectory=subdirectory)
    fetched = {sdist: Fetched(path=path, sha256=sha256, size=len(data))}
    return locked(source, sdist, name), fetched


def build(
    package: LockedPackage,
    cache: Cache,
    *targets: Target,
    sources: Mapping[Artifact, Fetched] | None = None,
    options: BuildOptions | None = None,
) -> list[Built]:
    """Build a package, by default for this host; returns the wheel of each target."""
    targets = targets or (host_target(),)
    with cache.workspace() as workspace:
        built = build_all(
            [(package, target) for target in targets],
            sources or {},
            cache,
            workspace,
            options or BuildOptions(),
            lambda _package: None,
        )
        assert all(wheel.file.path.is_file() for wheel in built.values())
    return [built[package.key, target.id] for target in targets]


def pretend(monkeypatch: pytest.MonkeyPatch, libc: tuple[str, str]) -> None:
    """Let this host have another C library."""
    own = BuildPython(
        path=Path(sys.executable),
        version=(3, sys.version_info.minor),
        free_threaded=False,
        platform="linux-x86_64",
        libc=libc,
    )
    monkeypatch.setattr(building, "this_interpreter", lambda: own)


def test_builds_source_archive(cache: Cache, tmp_path: Path) -> None:
    package, sources = sdist_package(tmp_path / "fetched", make_sdist("demo"))
    (built,) = build(package, cache, sources=sources)
    wheel = make_wheel("demo")
    assert (built.wheel.file_name, built.file.sha256) == (wheel.file_name, wheel.sha256)
    assert package.sdist is not None
    assert built.built_from == package.sdist.sha256


def test_builds_project_folder(cache: Cache, tmp_path: Path) -> None:
    make_source(tmp_path / "project", make_wheel("demo"))
    (built,) = build(directory(tmp_path / "project"), cache)
    assert built.file.sha256 == make_wheel("demo").sha256
    assert built.built_from is None


def test_leaves_nothing_in_the_project_folder(cache: Cache, tmp_path: Path) -> None:
    make_source(tmp_path / "project", make_wheel("demo"))
    before = sorted(tmp_path.glob("project/**/*"))
    build(directory(tmp_path / "project"), cache)
    assert sorted(tmp_path.glob("project/**/*")) == before


def test_builds_git_commit(cache: Cache, tmp_path: Path) -> None:
    commit = make_repository(make_source(tmp_path / "repository", make_wheel("demo")))
    (tmp_path / "repository" / "pyproject.toml").write_text("changed since", encoding="utf-8")
    url = (tmp_path / "repository").as_uri()
    (built,) = build(locked(PackageSource(kind="git", location=url, url=url, commit=commit)), cache)
    assert built.file.sha256 == make_wheel("demo").sha256


def test_builds_subdirectory_of_git_commit(cache: Cache, tmp_path: Path) -> None:
    make_source(tmp_path / "repository" / "libs" / "demo", make_wheel("demo"))
    commit = make_repository(tmp_path / "repository")
    url = (tmp_path / "repository").as_uri()
    source = PackageSource(
        kind="git", location=url, url=url, commit=commit, subdirectory="libs/demo"
    )
    assert build(locked(source), cache)[0].wheel.name_and_version == ("demo", "1.0")


def test_builds_subdirectory_of_source_archive(cache: Cache, tmp_path: Path) -> None:
    files = {f"libs/demo/{name}": data for name, data in source_files(make_wheel("demo")).items()}
    package, sources = sdist_package(
        tmp_path / "fetched", pack_source("demo-1.0", files), subdirectory="libs/demo"
    )
    assert build(package, cache, sources=sources)[0].wheel.name_and_version == ("demo", "1.0")


def test_takes_build_requirements_from_the_folder_of_wheels(cache: Cache, tmp_path: Path) -> None:
    make_wheel("needed").write(tmp_path / "some wheels")
    make_source(
        tmp_path / "project",
        make_wheel("demo"),
        requires="'needed'",
        backend="import needed\nfrom real import build_wheel\n",
    )
    real = source_files(make_wheel("demo"))["backend.py"]
    (tmp_path / "project" / "real.py").write_bytes(real)
    options = BuildOptions(locations=Locations(folders=list_folders((tmp_path / "some wheels",))))
    (built,) = build(directory(tmp_path / "project"), cache, options=options)
    assert built.file.sha256 == make_wheel("demo").sha256


NEEDS = (
    "import importlib.metadata, needed\n"
    "from real import build_wheel as build\n"
    "def build_wheel(*args):\n"
    "    print('needed', importlib.metadata.version('needed'))\n"
    "    assert importlib.metadata.version('needed') == '1.0'\n"
    "    return build(*args)\n"
)


def needy_files(requires: str) -> dict[str, bytes]:
    """Return the files of a project that builds with needed 1.0 alone."""
    files = source_files(make_wheel("demo"), requires=requires, backend=NEEDS)
    return {**files, "real.py": source_files(make_wheel("demo"))["backend.py"]}


def two_versions(folder: Path) -> BuildOptions:
    for version in ("1.0", "2.0"):
        make_wheel("needed", version).write(folder)
    return BuildOptions(locations=Locations(folders=list_folders((folder,))))


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zipped(folder: str, files: Mapping[str, bytes]) -> bytes:
    with io.BytesIO() as stream:
        with zipfile.ZipFile(stream, "w") as opened:
            for name, data in files.items():
                opened.writestr(f"{folder}/{name}", data)
        return stream.getvalue()


def test_builds_with_what_constraints_allow(cache: Cache, tmp_path: Path) -> None:
    project = directory(write_files(tmp_path / "project", needy_files("'needed'")))
    options = two_versions(tmp_path / "wheels")
    with pytest.raises(BuildError, match="could not be built"):
        build(project, cache, options=options)
    constrained = dataclasses.replace(options, constraints=("needed<2 ; python_version >= '3'",))
    (built,) = build(project, cache, options=constrained)
    assert built.file.sha256 == make_wheel("demo").sha256


TARRED = pytest.param(
    pack_source,
    marks=pytest.mark.skipif(
        not hasattr(tarfile, "data_filter"),
        reason="a Python before 3.11.4 unpacks no tar archive safely, and says so",
    ),
)


@pytest.mark.parametrize("pack", [TARRED, zipped, None])
def test_builds_with_what_settings_add(
    cache: Cache, tmp_path: Path, pack: Callable[[str, dict[str, bytes]], bytes] | None
) -> None:
    files = needy_files("")
    sources: dict[Artifact, Fetched] = {}
    if pack is None:
        package = directory(write_files(tmp_path / "project", files))
    else:
        package, fetched = sdist_package(tmp_path / "fetched", pack("demo-1.0", files))
        sources.update(fetched)
    options = two_versions(tmp_path / "wheels")
    extended = dataclasses.replace(package, build_requires=("needed==1.0",))
    (built,) = build(extended, cache, sources=sources, options=options)
    assert built.file.sha256 == make_wheel("demo").sha256


def test_leaves_the_source_as_it_was_where_settings_add_to_it(cache: Cache, tmp_path: Path) -> None:
    files = needy_files("")
    project = write_files(tmp_path / "project", files)
    package = dataclasses.replace(directory(project), build_requires=("needed==1.0",))
    build(package, cache, options=two_versions(tmp_path / "wheels"))
    assert {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file()
    } == files


def test_says_that_settings_add_nothing_to_commits(cache: Cache, tmp_path: Path) -> None:
    url = (tmp_path / "repository").as_uri()
    package = locked(PackageSource(kind="git", location=url, url=url, commit="0" * 40))
    package = dataclasses.replace(package, build_requires=("needed==1.0",))
    with pytest.raises(BuildError, match="not supported for demo") as caught:
        build(package, cache)
    assert "--find-links" in str(caught.value.hint)


@pytest.mark.parametrize(
    "data", [b"no archive", pack_source("demo-1.0", {})], ids=["none", "empty"]
)
def test_says_which_archive_cannot_be_extended(cache: Cache, tmp_path: Path, data: bytes) -> None:
    package, sources = sdist_package(tmp_path / "fetched", data)
    package = dataclasses.replace(package, build_requires=("needed==1.0",))
    with pytest.raises(BuildError):
        build(package, cache, sources=sources)


@pytest.mark.parametrize("as_mirror", [True, False], ids=["mirror", "default index of uv"])
def test_takes_build_requirements_from_the_index(
    cache: Cache,
    tmp_path: Path,
    index: LocalIndex,
    monkeypatch: pytest.MonkeyPatch,
    as_mirror: bool,
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    index.add(make_wheel("needed"))
    index.login = ("alice", "p@ss")
    url = index.simple_url.replace("://", "://alice:p%40ss@")
    indexes = (Index(url=url, default=True),)
    locations = Locations(mirrors=(url,)) if as_mirror else Locations(indexes=indexes)
    make_source(tmp_path / "project", make_wheel("demo"), requires="'needed'")
    build(directory(tmp_path / "project"), cache, options=BuildOptions(locations=locations))
    assert index.file_requests("needed-1.0-py3-none-any.whl")


def test_hands_settings_to_the_backend(cache: Cache, tmp_path: Path) -> None:
    make_source(tmp_path / "project", make_wheel("demo"))
    build(
        directory(tmp_path / "project"), cache, options=BuildOptions(config_settings=("speed=9",))
    )
    assert all("{'speed': '9'}" in line for line in builds(tmp_path))


@pytest.mark.usefixtures("quickly")
def test_builds_one_wheel_for_all_targets_that_it_fits(cache: Cache, tmp_path: Path) -> None:
    make_source(tmp_path / "project", make_wheel("demo"))
    targets = (host_target(), target_of("win_amd64"), target_of("musllinux_1_2_aarch64"))
    built = build(directory(tmp_path / "project"), cache, *targets)
    assert len({wheel.file.path for wheel in built}) == 1


@pytest.mark.usefixtures("quickly")
def test_does_not_build_the_same_source_twice(cache: Cache, tmp_path: Path) -> None:
    package, sources = sdist_package(tmp_path / "fetched", make_sdist("demo"))
    first = build(package, cache, sources=sources)
    done = builds(tmp_path)
    second = build(package, cache, sources=sources)
    assert builds(tmp_path) == done
    assert [b.file.sha256 for b in second] == [b.file.sha256 for b in first]
    assert second[0].built_from == first[0].built_from


def test_does_not_build_the_same_commit_twice(cache: Cache, tmp_path: Path) -> None:
    commit = make_repository(make_source(tmp_path / "repository", make_wheel("demo")))
    url = (tmp_path / "repository").as_uri()
    package = locked(PackageSource(kind="git", location=url, url=url, commit=commit))
    build(package, cache)
    done = builds(tmp_path)
    build(package, cache)
    assert builds(tmp_path) == done


@pytest.mark.usefixtures("quickly")
def test_builds_a_project_folder_each_time(cache: Cache, tmp_path: Path) -> None:
    make_source(tmp_path / "project", make_wheel("demo"))
    build(directory(tmp_path / "project"), cache)
    done = builds(tmp_path)
    build(directory(tmp_path / "project"), cache)
    assert len(builds(tmp_path)) > len(done)


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("change", ["settings", "constraints", "environment", "damage"])
def test_builds_again_where_something_has_changed(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    package, sources = sdist_package(tmp_path / "fetched", make_sdist("demo"))
    (first,) = build(package, cache, sources=sources)
    done = builds(tmp_path)
    options = BuildOptions()
    if change == "settings":
        options = BuildOptions(config_settings=("speed=9",))
    elif change == "constraints":
        options = BuildOptions(constraints=("other==1.0",))
    elif change == "environment":
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    else:
        cache.path(first.file.sha256).write_bytes(b"cut")
    build(package, cache, sources=sources, options=options)
    assert len(builds(tmp_path)) > len(done)


def test_shows_the_end_of_the_log_of_a_failing_build(cache: Cache, tmp_path: Path) -> None:
    make_source(
        tmp_path / "project",
        make_wheel("demo"),
        backend="def build_wheel(*_):\n"
        "    for number in range(100):\n        print('line', number, flush=True)\n"
        "    raise SystemExit('no compiler here')\n",
    )
    with pytest.raises(BuildError) as caught:
        build(directory(tmp_path / "project"), cache)
    error = caught.value
    assert error.message == "demo 1.0 could not be built from ."
    assert len(error.details) == 20
    assert any("no compiler here" in line for line in error.details)
    log = Path(str(error.hint).removeprefix("the whole log is in "))
    assert "line 0\n" in log.read_text(encoding="utf-8")


def test_keeps_no_log_of_a_build_that_went_well(cache: Cache, tmp_path: Path) -> None:
    make_source(tmp_path / "project", make_wheel("demo"))
    build(directory(tmp_path / "project"), cache)
    assert list((cache.folder / "logs").iterdir()) == []


def test_keeps_secrets_out_of_the_log(cache: Cache, tmp_path: Path) -> None:
    make_source(
        tmp_path / "project",
        make_wheel("demo"),
        backend="def build_wheel(*_):\n    raise SystemExit('at https://me:s3cret@index.example/')\n",
    )
    with pytest.raises(BuildError) as caught:
        build(directory(tmp_path / "project"), cache)
    (log,) = (cache.folder / "logs").iterdir()
    assert "https://****@index.example/" in str(caught.value)
    assert "s3cret" not in f"{caught.value} {log.read_text(encoding='utf-8')}"


@pytest.mark.usefixtures("quickly")
def test_names_all_builds_that_failed(cache: Cache, tmp_path: Path) -> None:
    packages = []
    for name in ("one", "two", "three"):
        backend = {} if name == "two" else {"backend": "raise SystemExit('out of order')"}
        make_source(tmp_path / name, make_wheel(name), **backend)
        packages.append(directory(tmp_path / name, name))
    wanted = [(package, host_target()) for package in packages]
    with cache.workspace() as workspace, pytest.raises(BuildError) as caught:
        build_all(wanted, {}, cache, workspace, BuildOptions(), lambda _package: None)
    assert caught.value.message == "2 packages could not be built"
    assert "one 1.0 could not be built" in str(caught.value)
    assert "three 1.0 could not be built" in str(caught.value)


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("wheel", [make_wheel("other"), make_wheel("demo", "2.0")])
def test_refuses_a_wheel_of_another_name_or_version(
    cache: Cache, tmp_path: Path, wheel: TinyWheel
) -> None:
    make_source(tmp_path / "project", wheel)
    with pytest.raises(BuildError, match=f"building demo 1.0 gave {wheel.file_name}") as caught:
        build(directory(tmp_path / "project"), cache)
    assert "lock it again" in str(caught.value.hint)


def test_names_a_project_folder_that_is_not_there(cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"the folder of demo 1\.0 does not exist"):
        build(directory(tmp_path / "none"), cache)


@pytest.mark.usefixtures("quickly")
def test_refuses_a_platform_wheel_for_another_platform(cache: Cache, tmp_path: Path) -> None:
    tag = f"{HERE}-{HERE}-linux_x86_64"
    package, sources = sdist_package(tmp_path / "fetched", make_sdist("demo", tag=tag))
    with pytest.raises(UnfitError) as caught:
        build(package, cache, target_of("win_amd64"), sources=sources)
    assert caught.value.message == (
        f"demo 1.0 was built on this host as demo-1.0-{tag}.whl, which does not fit {HERE}-win_amd64"
    )
    assert "build demo on a host like the target" in str(caught.value.hint)
    assert "--find-links" in str(caught.value.hint)


@pytest.mark.usefixtures("quickly")
def test_names_all_targets_that_a_wheel_does_not_fit(cache: Cache, tmp_path: Path) -> None:
    tag = f"{HERE}-{HERE}-linux_x86_64"
    package, sources = sdist_package(tmp_path / "fetched", make_sdist("demo", tag=tag))
    with pytest.raises(UnfitError, match="2 wheels built on this host") as caught:
        build(package, cache, target_of("win_amd64"), target_of("win32"), sources=sources)
    assert [line.split()[-1] for line in caught.value.details] == [
        f"{HERE}-win_amd64",
        f"{HERE}-win32",
    ]


def other_python(folder: Path) -> Path:
    """Make a command that says to be another Python, and is this one."""
    folder.mkdir()
    path = folder / f"python{OTHER}"
    version = OTHER.replace(".", ", ")
    path.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        "if sys.argv[2] == '-c':\n"
        "    code = sys.argv[3].replace('sys.version_info[:2]', '({version})')\n"
        "    os.execv(sys.executable, [sys.executable, '-I', '-c', code])\n"
        "open(os.environ['BUILDS'] + '.python', 'a').close()\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n".replace("{version}", version),
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


def test_builds_with_a_python_like_the_target_where_the_path_has_one(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(other_python(tmp_path / "bin").parent))
    tag = f"cp{OTHER.replace('.', '')}-abi3-linux_x86_64"
    package, sources = sdist_package(tmp_path / "fetched", make_sdist("demo", tag=tag))
    build(package, cache, target_of("manylinux_2_99_x86_64", OTHER), sources=sources)
    assert (tmp_path / "builds.txt.python").exists()


def test_takes_the_python_behind_a_shim_that_chooses_by_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = tmp_path / "shims" / f"python3.{sys.version_info.minor}"
    shim.parent.mkdir()
    # As the shims of pyenv do, whose exit status this is.
    shim.write_text(
        f'#!/bin/sh\ntest -e .python-version || exit 127\nexec "{sys.executable}" "$@"\n',
        encoding="utf-8",
    )
    shim.chmod(0o755)
    (tmp_path / ".python-version").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(shim.parent))
    other = dataclasses.replace(build_python.this_interpreter(), version=(3, 7))
    monkeypatch.setattr(build_python, "this_interpreter", lambda: other)
    assert build_python.interpreter_for(host_target()).path == Path(sys.executable)


def test_builds_with_this_python_where_the_path_has_none_like_the_target(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    make_source(
        tmp_path / "project", make_wheel("demo"), project=f"requires-python = '=={OTHER}.*'"
    )
    assert len(build(directory(tmp_path / "project"), cache, target_of("win_amd64", OTHER))) == 1


@pytest.mark.usefixtures("quickly")
def test_says_which_python_is_missing(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    tag = f"{HERE}-{HERE}-linux_x86_64"
    package, sources = sdist_package(tmp_path / "fetched", make_sdist("demo", tag=tag))
    with pytest.raises(UnfitError) as caught:
        build(package, cache, target_of("manylinux_2_40_x86_64", OTHER), sources=sources)
    assert str(caught.value.hint).startswith(f"have a python{OTHER} on the PATH, or build demo")


def test_passes_over_a_python_that_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = tmp_path / "shims" / f"python{OTHER}"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho 'not installed' >&2\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    found = other_python(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{shim.parent}:{found.parent}")
    assert build_python.interpreter_for(target_of("win_amd64", OTHER)).path == found


@pytest.mark.parametrize(
    ("libc", "platform", "why"),
    [
        (("glibc", "2.36"), "manylinux_2_28_x86_64", "against glibc 2.36, .* has 2.28"),
        (("glibc", "2.36"), "musllinux_1_2_x86_64", "for glibc, .* has musl"),
        (("", ""), "manylinux_2_28_x86_64", "for musl, .* has glibc"),
    ],
)
def test_refuses_a_wheel_for_another_c_library(
    monkeypatch: pytest.MonkeyPatch, libc: tuple[str, str], platform: str, why: str
) -> None:
    pretend(monkeypatch, libc)
    package = directory(Path())
    wheel = Artifact(file_name=f"demo-1.0-{HERE}-{HERE}-linux_x86_64.whl")
    with pytest.raises(UnfitError, match=why):
        check_fit(package, wheel, target_of(platform))


@pytest.mark.parametrize(
    ("libc", "platform", "tag"),
    [
        (("glibc", "2.28"), "manylinux_2_28_x86_64", "linux_x86_64"),
        (("musl", "1.2.4"), "musllinux_1_2_x86_64", "linux_x86_64"),
        (("glibc", "2.36"), "manylinux_2_28_x86_64", "manylinux_2_17_x86_64"),
        (("glibc", "2.36"), "musllinux_1_2_x86_64", "any"),
    ],
)
def test_accepts_a_wheel_for_the_c_library_of_the_target(
    monkeypatch: pytest.MonkeyPatch, libc: tuple[str, str], platform: str, tag: str
) -> None:
    pretend(monkeypatch, libc)
    wheel = Artifact(file_name=f"demo-1.0-py3-none-{tag}.whl")
    check_fit(directory(Path()), wheel, target_of(platform))


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        (BuildOptions(no_build=True), "--no-build forbids"),
        (BuildOptions(no_build_packages=frozenset({"demo"})), "--no-build-package demo forbids"),
    ],
)
def test_refuses_to_build_what_is_not_to_be_built(options: BuildOptions, flag: str) -> None:
    with pytest.raises(UnfitError, match=flag) as caught:
        check_allowed(directory(Path()), options)
    assert "--find-links" in str(caught.value.hint)


@pytest.mark.parametrize(
    "options", [BuildOptions(), BuildOptions(no_build_packages=frozenset({"other"}))]
)
def test_allows_to_build_everything_else(options: BuildOptions) -> None:
    check_allowed(directory(Path()), options)


SPY = """
import os, pathlib, shutil

def build_wheel(folder, config_settings=None, metadata_directory=None):
    with open(os.environ["BUILDS"], "a") as builds:
        builds.write(repr(dict(os.environ)))
    [wheel] = pathlib.Path("ready").iterdir()
    shutil.copy(wheel, folder)
    return wheel.name
"""


def test_backend_does_not_see_how_the_index_is_logged_in_to(
    cache: Cache, tmp_path: Path, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("UV_INDEX_HOUSE_PASSWORD", "p@ss")
    index.add(make_wheel("needed"))
    index.login = ("alice", "p@ss")
    url = index.simple_url.replace("://", "://alice:p%40ss@")
    make_source(tmp_path / "project", make_wheel("demo"), requires="'needed'", backend=SPY)
    locations = Locations(mirrors=(url, url))
    build(directory(tmp_path / "project"), cache, options=BuildOptions(locations=locations))
    (seen,) = builds(tmp_path)
    assert "alice" not in seen
    assert "p@ss" not in seen
    assert index.file_requests("needed-1.0-py3-none-any.whl")


@pytest.mark.parametrize(("stated", "seen"), [(None, "315532800"), ("1700000000", "1700000000")])
def test_backend_is_told_a_time_so_that_the_same_source_gives_the_same_bytes(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: str | None, seen: str
) -> None:
    if stated is not None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", stated)
    make_source(tmp_path / "project", make_wheel("demo"), backend=SPY)
    build(directory(tmp_path / "project"), cache)
    assert f"'SOURCE_DATE_EPOCH': '{seen}'" in builds(tmp_path)[0]


def test_pip_is_not_what_is_called_so_in_this_folder(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    for name in ("pip.py", "runpy.py", "wheel.py", "packaging.py"):
        (here / name).write_text("raise SystemExit('ran instead')\n", encoding="ascii")
    monkeypatch.chdir(here)
    make_source(tmp_path / "project", make_wheel("demo"))
    assert build(directory(tmp_path / "project"), cache)
