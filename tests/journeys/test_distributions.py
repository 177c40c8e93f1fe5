"""What `make package` builds: what is in it, and the main job without the checkout."""

import os
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
import uv
from installer.sources import WheelFile
from packaging.metadata import Metadata

from support.making.projects import make_project
from support.making.wheels import make_wheel
from support.running.distributions import OWN, ROOT, Environment, build, install
from support.running.index import LocalIndex
from wheelferry_schemas import __version__

MEMBERS = {name: ROOT / name.removeprefix("wheelferry").removeprefix("-") for name in OWN}
SCRIPTS = """[console_scripts]
bundle=wheelferry_installer.__main__:main
wheelferry=wheelferry_installer.__main__:main
"""
COMMANDS = """[wheelferry.commands]
bootstrap=wheelferry_bundler.commands.bootstrap:bootstrap
create=wheelferry_bundler.commands.create:create
init=wheelferry_bundler.commands.init:init
key=wheelferry_bundler.commands.key:key
settings=wheelferry_bundler.commands.settings:settings
sign=wheelferry_bundler.commands.sign:sign
"""
ENTRY_POINTS = {
    "wheelferry": SCRIPTS,
    "wheelferry-installer": SCRIPTS,
    "wheelferry-bundler": COMMANDS,
    "wheelferry-schemas": "",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all wheels and source archives."""
    folder = tmp_path_factory.mktemp("packages") / "dist"
    build(folder)
    return folder


@pytest.fixture(scope="module")
def both_sides(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What `pip install wheelferry` gives."""
    return install("wheelferry", built, tmp_path_factory.mktemp("both"))


@pytest.fixture(scope="module")
def far_side(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What `pip install wheelferry-installer` gives."""
    return install("wheelferry-installer", built, tmp_path_factory.mktemp("far"))


def _stem(name: str) -> str:
    return f"{name.replace('-', '_')}-{__version__}"


def _source_files(name: str) -> set[str]:
    """Return the files below `src` of a distribution, as they are named in its wheel."""
    source = MEMBERS[name] / "src"
    files = (path for path in source.rglob("*") if path.is_file())
    return {p.relative_to(source).as_posix() for p in files if "__pycache__" not in p.parts}


def _entry_points(text: str) -> str:
    return "".join(f"{line.replace(' ', '')}\n" for line in text.splitlines() if line)


def test_each_distribution_is_there_as_wheel_and_as_source_archive(built: Path) -> None:
    wheels = {f"{_stem(name)}-py3-none-any.whl" for name in OWN}
    archives = {f"{_stem(name)}.tar.gz" for name in OWN}
    assert {path.name for path in built.iterdir()} - {".gitignore"} == wheels | archives


@pytest.mark.parametrize("name", OWN)
def test_wheel_holds_the_modules_the_licence_and_nothing_else(name: str, built: Path) -> None:
    info = f"{_stem(name)}.dist-info"
    with zipfile.ZipFile(built / f"{_stem(name)}-py3-none-any.whl") as archive:
        files = {file: archive.read(file) for file in archive.namelist()}
    expected = {"METADATA", "WHEEL", "RECORD", "licenses/LICENSE"}
    if ENTRY_POINTS[name]:
        expected.add("entry_points.txt")
    modules = _source_files(name) if name != "wheelferry" else set()
    assert set(files) == {f"{info}/{file}" for file in expected} | modules
    assert files[f"{info}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    points = files.get(f"{info}/entry_points.txt", b"").decode()
    assert _entry_points(points) == ENTRY_POINTS[name]
    assert not any("test" in Path(file).name for file in files)


def test_wheels_say_that_they_are_typed_and_bring_what_others_read(built: Path) -> None:
    brought = {
        "wheelferry-bundler": ["carry/first_stage.py", "carry/installer-requirements.txt"],
        "wheelferry-installer": [
            f"foreign/{module}.py"
            for module in ("compile_modules", "interpreter_facts", "make_venv", "place_facts")
        ],
        "wheelferry-schemas": [],
    }
    for name, files in brought.items():
        package = name.replace("-", "_")
        with zipfile.ZipFile(built / f"{_stem(name)}-py3-none-any.whl") as archive:
            names = archive.namelist()
        assert {f"{package}/{file}" for file in ("py.typed", *files)} <= set(names)


@pytest.mark.parametrize("name", OWN)
def test_wheel_is_what_its_record_says(name: str, built: Path) -> None:
    with WheelFile.open(built / f"{_stem(name)}-py3-none-any.whl") as wheel:
        wheel.validate_record()


def _metadata(name: str, built: Path) -> bytes:
    with zipfile.ZipFile(built / f"{_stem(name)}-py3-none-any.whl") as archive:
        return archive.read(f"{_stem(name)}.dist-info/METADATA")


@pytest.mark.parametrize("name", OWN)
def test_metadata_is_valid_and_describes_the_distribution(name: str, built: Path) -> None:
    data = _metadata(name, built)
    metadata = Metadata.from_email(data, validate=True)
    assert (metadata.name, str(metadata.version)) == (name, __version__)
    assert metadata.license_expression == "Apache-2.0"
    assert metadata.license_files == ["LICENSE"]
    assert str(metadata.requires_python) == ">=3.10"
    assert "Typing :: Typed" in (metadata.classifiers or ())
    assert metadata.description_content_type == "text/markdown"
    readme = (MEMBERS[name] / "README.md").read_text(encoding="utf-8")
    assert (metadata.description or "").strip() == readme.strip()


def test_the_distribution_at_the_root_asks_for_both_sides_of_its_version(built: Path) -> None:
    message: Message = message_from_bytes(_metadata("wheelferry", built))
    assert message.get_all("Requires-Dist") == [
        f"wheelferry-bundler=={__version__}",
        f"wheelferry-installer=={__version__}",
    ]


@pytest.mark.parametrize("name", OWN)
def test_source_archive_holds_what_the_wheel_is_made_from(name: str, built: Path) -> None:
    with tarfile.open(built / f"{_stem(name)}.tar.gz") as archive:
        names = {file.removeprefix(f"{_stem(name)}/") for file in archive.getnames()}
    expected = {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    if name == "wheelferry":
        expected.add(".gitignore")  # hatchling reads it when it builds
    else:
        expected |= {f"src/{file}" for file in _source_files(name)}
    if name == "wheelferry-schemas":
        expected |= {"FORMAT.md", "manifest-v1.schema.json"}
    assert names == expected


def test_modules_come_from_the_environment_and_not_from_the_checkout(
    both_sides: Environment,
) -> None:
    show = (
        "import wheelferry_bundler, wheelferry_installer, wheelferry_schemas;"
        "print(wheelferry_bundler.__file__, wheelferry_installer.__file__,"
        " wheelferry_schemas.__file__)"
    )
    shown = both_sides.run(both_sides.folder / "bin/python", "-c", show).split()
    assert all(Path(file).is_relative_to(both_sides.folder) for file in shown)


def test_far_side_alone_has_no_online_side(far_side: Environment) -> None:
    ran = subprocess.run(
        [far_side.folder / "bin/bundle", "create"],
        env=far_side.variables,
        cwd=far_side.home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "where wheelferry_bundler is installed" in ran.stderr
    for module in ("wheelferry_bundler", "requests", "uv", "pip"):
        found = f"import importlib.util; print(importlib.util.find_spec('{module}'))"
        assert far_side.run(far_side.folder / "bin/python", "-c", found) == "None\n"


def test_bundle_crosses_from_both_sides_to_the_far_one(
    both_sides: Environment, far_side: Environment, tmp_path: Path, index: LocalIndex
) -> None:
    project = make_project(tmp_path / "project", index, [(make_wheel("pure"), None)])
    both_sides.bundle("key", "new", cwd=project)
    both_sides.bundle("create", "-o", tmp_path / "bundle.tar.zst", cwd=project)
    key = both_sides.home / "config/wheelferry/signing_key.pub"
    far_side.bundle("trust", "add", "--yes", key, cwd=tmp_path)
    for side in (both_sides, far_side):
        folder = tmp_path / side.folder.parent.name
        folder.mkdir()
        side.bundle("verify", tmp_path / "bundle.tar.zst", cwd=folder)
        side.bundle("install", tmp_path / "bundle.tar.zst", cwd=folder)
        assert side.run(folder / ".venv/bin/demo") == "demo runs\n"
        assert "2 packages" in side.bundle("status", cwd=folder)


@pytest.mark.online
def test_uv_installs_the_tool_with_what_pypi_has(built: Path, tmp_path: Path) -> None:
    variables = {
        **os.environ,
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
    }
    subprocess.run(
        [
            *(uv.find_uv_bin(), "tool", "install", "--quiet", "--python", sys.executable),
            *("--find-links", str(built), f"wheelferry=={__version__}"),
        ],
        env=variables,
        cwd=tmp_path,
        check=True,
    )
    assert {path.name for path in (tmp_path / "bin").iterdir()} == {"bundle", "wheelferry"}
    carried = tmp_path / "wheelferry.pyz"
    subprocess.run([tmp_path / "bin/bundle", "bootstrap", "-o", carried], cwd=tmp_path, check=True)
    said = subprocess.run(
        [sys.executable, "-I", "-S", carried, "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert __version__ in said.stdout
