"""What no resolver made for its target is held against what the wheels state."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.making.sources import make_source
from support.making.wheels import TinyWheel, make_wheel
from support.running.command import bundle, succeed
from support.running.index import LocalIndex

WINDOWS = ("--platform", "win_amd64", "--python", "3.12")
BOTH = ("--platform", "manylinux_2_28_x86_64", *WINDOWS)
TESTER = make_wheel(
    "tester",
    "8.3",
    requires=("colorama>=0.4; sys_platform == 'win32'", "extensions", "deep; extra == 'more'"),
)
CLICKER = make_wheel("clicker", requires=("colorama; os_name == 'nt'", "tester[more]<8"))
COLORAMA, EXTENSIONS, DEEP = make_wheel("colorama"), make_wheel("extensions"), make_wheel("deep")
ALL = (TESTER, CLICKER, COLORAMA, EXTENSIONS, DEEP)
SAID = "lists every file with its hash: using it as a lock, and checking it against the wheels' metadata"


@pytest.fixture(autouse=True)
def _local_index(index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index.add(*ALL)
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.simple_url)


def hashed(folder: Path, wheels: Sequence[TinyWheel], *more: str) -> Path:
    """Write a requirements file that lists these wheels with their hashes."""
    lines = [
        "{}=={} --hash=sha256:{}".format(*wheel.file_name.split("-")[:2], wheel.sha256)
        for wheel in wheels
    ]
    path = folder / "requirements.txt"
    path.write_text("\n".join((*lines, *more, "")), encoding="utf-8")
    return path


def pylock(folder: Path, index: LocalIndex, wheels: Sequence[TinyWheel], more: str = "") -> Path:
    """Write a pylock.toml that holds these wheels, as pip does for its own host."""
    text = "lock-version = '1.0'\ncreated-by = 'tests'\n"
    for wheel in wheels:
        name, version = wheel.file_name.split("-")[:2]
        text += (
            f"[[packages]]\nname = '{name}'\nversion = '{version}'\n"
            f"wheels = [{{ url = '{index.file_url(wheel.file_name)}', "
            f"hashes = {{ sha256 = '{wheel.sha256}' }} }}]\n"
        )
    path = folder / "pylock.toml"
    path.write_text(text + more, encoding="utf-8")
    return path


def test_names_all_that_a_file_of_hashes_lacks(tmp_path: Path) -> None:
    hashed(tmp_path, [TESTER, CLICKER])
    ran = bundle("create", *BOTH, "--unsigned", cwd=tmp_path)
    assert ran.code == 5
    assert "error: requirements.txt is not complete" in ran.err
    both, windows = "cp312-manylinux_2_28_x86_64, cp312-win_amd64", "cp312-win_amd64"
    for line in (
        f"colorama >=0.4: needed by clicker 1.0, tester 8.3 on {windows}",
        f"extensions: needed by tester 8.3 on {both}",
        f"deep: needed by tester 8.3 on {both}",
    ):
        assert line in " ".join(ran.err.split()), ran.err
    assert "--no-install-package colorama" in " ".join(ran.err.split())
    assert list(tmp_path.glob("*.tar.zst")) == []


@pytest.mark.parametrize("kind", ["hashes", "pylock"])
def test_takes_what_is_complete(tmp_path: Path, index: LocalIndex, kind: str) -> None:
    wheels = [TESTER, COLORAMA, EXTENSIONS]
    path = hashed(tmp_path, wheels) if kind == "hashes" else pylock(tmp_path, index, wheels)
    ran = succeed("create", path, *BOTH, "--unsigned", cwd=tmp_path)
    assert (SAID in " ".join(ran.err.split())) == (kind == "hashes")
    assert "is resolved now" not in ran.err


def test_lacks_nothing_that_the_target_does_not_need(tmp_path: Path) -> None:
    hashed(tmp_path, [TESTER, EXTENSIONS])
    linux = ("--platform", "manylinux_2_28_x86_64", "--python", "3.12")
    succeed("create", *linux, "--dry-run", cwd=tmp_path)


def test_follows_extras_of_the_file(tmp_path: Path) -> None:
    line = f"tester[more]==8.3 --hash=sha256:{TESTER.sha256}"
    hashed(tmp_path, [COLORAMA, EXTENSIONS], line)
    ran = bundle("create", *WINDOWS, "--dry-run", cwd=tmp_path)
    assert (ran.code, "deep: needed by tester 8.3" in ran.err) == (5, True)


def test_names_what_a_pylock_lacks(tmp_path: Path, index: LocalIndex) -> None:
    pylock(tmp_path, index, [TESTER])
    ran = bundle("create", *WINDOWS, "--dry-run", "--json", cwd=tmp_path)
    assert ran.code == 5
    problems = ran.data["problems"]
    assert [(p["target"], p["kind"], p["name"], p["version"]) for p in problems] == [
        ("cp312-win_amd64", "missing", "colorama", None),
        ("cp312-win_amd64", "missing", "extensions", None),
    ]
    for problem, line in zip(problems, ("colorama >=0.4", "extensions"), strict=True):
        assert problem["message"] == "pylock.toml is not complete"
        assert problem["details"] == [f"{line}: needed by tester 8.3 on cp312-win_amd64"]
        assert f"--no-install-package {problem['name']}" in problem["hint"]


def test_says_for_each_target_what_is_missing_there(tmp_path: Path) -> None:
    hashed(tmp_path, [TESTER, CLICKER])
    ran = bundle("create", *BOTH, "--dry-run", "--json", cwd=tmp_path)
    assert [(p["target"], p["name"], p["details"]) for p in ran.data["problems"]] == [
        (target, name, [f"{name}{version}: needed by {owners} on {target}"])
        for target, name, version, owners in (
            ("cp312-manylinux_2_28_x86_64", "deep", "", "tester 8.3"),
            ("cp312-manylinux_2_28_x86_64", "extensions", "", "tester 8.3"),
            ("cp312-win_amd64", "colorama", " >=0.4", "clicker 1.0, tester 8.3"),
            ("cp312-win_amd64", "deep", "", "tester 8.3"),
            ("cp312-win_amd64", "extensions", "", "tester 8.3"),
        )
    ]


def test_what_is_left_out_on_purpose_is_not_missing(tmp_path: Path, index: LocalIndex) -> None:
    pylock(tmp_path, index, [TESTER, EXTENSIONS])
    left_out = ("--no-install-package", "colorama", "--no-install-package", "extensions")
    succeed("create", *WINDOWS, *left_out, "--dry-run", cwd=tmp_path)


def test_warns_of_a_version_that_a_package_does_not_ask_for(tmp_path: Path) -> None:
    hashed(tmp_path, [TESTER, CLICKER, COLORAMA, EXTENSIONS, DEEP])
    ran = succeed("create", *BOTH, "--dry-run", cwd=tmp_path)
    warning = "clicker 1.0 asks for tester[more] <8, what is locked is 8.3"
    assert " ".join(ran.err.split()).count(warning) == 1


def test_names_what_only_a_built_wheel_tells(tmp_path: Path, index: LocalIndex) -> None:
    make_source(tmp_path / "lib", make_wheel("lib", requires=("colorama", "absent>=2")))
    directory = "[[packages]]\nname = 'lib'\n[packages.directory]\npath = 'lib'\n"
    pylock(tmp_path, index, [COLORAMA], directory)
    ran = bundle("create", *WINDOWS, "--unsigned", cwd=tmp_path)
    assert ran.code == 5
    assert "absent >=2: needed by lib 1.0 on cp312-win_amd64" in " ".join(ran.err.split())
    assert list(tmp_path.glob("*.tar.zst")) == []


def test_refuses_python_that_a_wheel_does_not_support(tmp_path: Path, index: LocalIndex) -> None:
    wheel = make_wheel("new", metadata="Requires-Python: >=3.13\n")
    index.add(wheel)
    pylock(tmp_path, index, [wheel])
    ran = bundle("create", *WINDOWS, "--dry-run", cwd=tmp_path)
    assert (ran.code, "new 1.0 requires Python >=3.13" in ran.err) == (5, True)


def test_names_what_stands_in_the_way_once(tmp_path: Path, index: LocalIndex) -> None:
    other = make_wheel("native", tag="cp312-cp312-macosx_11_0_arm64")
    new = make_wheel("new", metadata="Requires-Python: >=3.8\n")
    index.add(other, new)
    for wheel in (TESTER, new):
        with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
            [name] = [name for name in archive.namelist() if name.endswith("/METADATA")]
            index.add_file(f"{wheel.file_name}.metadata", archive.read(name))
    pylock(tmp_path, index, [TESTER, EXTENSIONS, other, new])
    ran = bundle("create", *WINDOWS, "--dry-run", "--json", cwd=tmp_path)
    messages = [problem["message"] for problem in ran.data["problems"]]
    assert messages == [
        "native 1.0 has no wheel for cp312 on win_amd64",
        "pylock.toml is not complete",
    ]


def test_manifest_has_dependencies_and_roots_of_what_wheels_state(
    tmp_path: Path, index: LocalIndex
) -> None:
    pylock(tmp_path, index, [TESTER, COLORAMA, EXTENSIONS])
    succeed("create", *WINDOWS, "--unsigned", cwd=tmp_path)
    manifest = succeed("show", "--json", "bundle.tar.zst", cwd=tmp_path).data["manifest"]
    assert manifest["roots"] == ["tester"]
    dependencies = {p["name"]: p["dependencies"] for p in manifest["packages"]}
    assert dependencies == {"colorama": [], "extensions": [], "tester": ["colorama", "extensions"]}


def test_manifest_of_requirements_has_the_roots_that_they_ask_for(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("tester\n", encoding="utf-8")
    succeed("create", *WINDOWS, "--unsigned", cwd=tmp_path)
    manifest = succeed("show", "--json", "bundle.tar.zst", cwd=tmp_path).data["manifest"]
    assert manifest["roots"] == ["tester"]
    assert [p["name"] for p in manifest["packages"]] == ["colorama", "extensions", "tester"]


BACKPORTED = make_wheel("backported", requires=("backport; python_full_version <= '3.12.2'",))


@pytest.mark.parametrize("python", ["3.12", "3.12.4"])
def test_is_for_the_patch_releases_that_lack_nothing(
    tmp_path: Path, index: LocalIndex, python: str
) -> None:
    wheel = make_wheel("backported", requires=("backport; python_full_version < '3.12.1'",))
    index.add(wheel)
    pylock(tmp_path, index, [wheel])
    options = ("--platform", "win_amd64", "--python", python, "--unsigned")
    ran = succeed("create", *options, cwd=tmp_path)
    assert ("3.12.0 alone would need backport" in " ".join(ran.err.split())) == (python == "3.12")
    [target] = succeed("show", "--json", "bundle.tar.zst", cwd=tmp_path).data["manifest"]["targets"]
    assert target["requires_python"] == "==3.12.*,>=3.12.1"


def test_names_what_a_supported_patch_release_lacks(tmp_path: Path, index: LocalIndex) -> None:
    index.add(BACKPORTED)
    pylock(tmp_path, index, [BACKPORTED])
    options = ("--platform", "win_amd64", "--python", "3.12", "--dry-run")
    ran = bundle("create", *options, cwd=tmp_path)
    assert ran.code == 5
    assert "needs backport depends on the patch release" in " ".join(ran.err.split())


def test_names_what_the_newest_patch_release_lacks(tmp_path: Path, index: LocalIndex) -> None:
    wheel = make_wheel("backported", requires=("backport; python_full_version >= '3.12.3'",))
    index.add(wheel)
    pylock(tmp_path, index, [wheel])
    options = ("--platform", "win_amd64", "--python", "3.12", "--dry-run")
    ran = bundle("create", *options, cwd=tmp_path)
    assert (ran.code, "backport: needed by backported 1.0" in ran.err) == (5, True)
