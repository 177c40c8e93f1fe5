"""What of the installer goes into a file that installs itself."""

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.making.bundles import host_target
from support.making.wheels import TinyWheel, make_wheel
from support.running.hosts import target
from support.running.index import LocalIndex
from wheelferry_bundler.carry import installer_files
from wheelferry_bundler.carry.installer_files import (
    CarriedInstaller,
    own_modules,
    pack_installer,
)
from wheelferry_bundler.commands.phase_bar import PhaseBar
from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.model.locations import Locations
from wheelferry_bundler.model.options import BuildOptions
from wheelferry_schemas.errors import UnfitError, WheelferryError
from wheelferry_schemas.target import Target

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "bundler/src/wheelferry_bundler/carry/installer-requirements.txt"
LINUX = "manylinux_2_28_x86_64"


def compiled(tag: str) -> TinyWheel:
    return make_wheel("fast", tag=tag, files={"fast.so": tag.encode()}, pure=False)


class Needs:
    """Replaces the lock by one of these wheels, which an index has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, index: LocalIndex, folder: Path) -> None:
        self._lock = folder / "lock.txt"
        self._index = index
        self._cache = Cache(folder / "cache")
        monkeypatch.setattr(installer_files, "_LOCK", self._lock)

    def pack(self, wheels: Sequence[TinyWheel], *targets: Target) -> CarriedInstaller:
        self._index.add(*wheels)
        lines: dict[str, str] = {}
        for wheel in wheels:
            line = lines.setdefault(wheel.file_name.partition("-")[0], "{}==1.0")
            lines[wheel.file_name.partition("-")[0]] = f"{line} --hash=sha256:{wheel.sha256}"
        text = "".join(line.format(name) + "\n" for name, line in lines.items())
        self._lock.write_text(text, encoding="utf-8")
        locations = Locations(mirrors=(self._index.simple_url,))
        building = BuildOptions(locations=locations)
        return pack_installer(targets, building, self._cache, PhaseBar(shown=False))


@pytest.fixture
def needs(monkeypatch: pytest.MonkeyPatch, index: LocalIndex, tmp_path: Path) -> Needs:
    return Needs(monkeypatch, index, tmp_path)


def listed(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.namelist()


def test_each_host_gets_what_is_compiled_for_it_and_all_share_the_rest(needs: Needs) -> None:
    wheels = [
        make_wheel("pure"),
        compiled(f"cp311-cp311-{LINUX}"),
        compiled(f"cp312-cp312-{LINUX}"),
    ]
    payload = needs.pack(wheels, target(LINUX, "3.11"), target(LINUX, "3.12"))
    assert [(one.python, one.platform) for one in payload.sets] == [
        ("3.11", LINUX),
        ("3.12", LINUX),
    ]
    of_each = [
        {name for name in one.files if re.search(r"any\.zip|x86_64\.zip", name)}
        for one in payload.sets
    ]
    assert of_each[0] & of_each[1] == {"installer/pure-1.0-py3-none-any.zip"}
    assert of_each[0] - of_each[1] == {f"installer/fast-1.0-cp311-cp311-{LINUX}.zip"}


@pytest.mark.parametrize(
    "tag", ["manylinux2014_x86_64.manylinux_2_17_x86_64", "manylinux2014_x86_64"]
)
def test_states_the_oldest_platform_that_all_of_it_runs_on(tag: str, needs: Needs) -> None:
    wheel = compiled(f"cp312-cp312-{tag}")
    payload = needs.pack([wheel], target(LINUX, "3.12"))
    assert payload.sets[0].platform == "manylinux_2_17_x86_64"


def test_own_modules_come_from_the_running_installation(needs: Needs) -> None:
    payload = needs.pack([compiled(f"cp312-cp312-{LINUX}")], target(LINUX, "3.12"))
    (own,) = (
        name for name in payload.files if re.fullmatch(r"installer/wheelferry-[\d.]+zip", name)
    )
    assert listed(payload.files[own]) == sorted(own_modules())
    assert "wheelferry_installer/cli.py" in listed(payload.files[own])


def test_the_online_side_stays_at_home() -> None:
    assert not any(name.startswith("wheelferry_bundler") for name in own_modules())


def test_what_nobody_loads_over_there_stays_behind(needs: Needs) -> None:
    files = dict.fromkeys(("fast/a.py", "fast/a.pyi", "fast/tests/test_a.py", "fast/a.h"), b"")
    wheel = make_wheel("fast", tag=f"cp312-cp312-{LINUX}", files=files, pure=False)
    payload = needs.pack([wheel], target(LINUX, "3.12"))
    packed = listed(payload.files[f"installer/fast-1.0-cp312-cp312-{LINUX}.zip"])
    assert packed == ["fast-1.0.dist-info/METADATA", "fast/a.py"]


def test_of_metadata_only_the_headers_come_along(needs: Needs) -> None:
    metadata = "License: MIT\n\n# Fast\n\nA long story.\n"
    wheel = make_wheel("fast", tag=f"cp312-cp312-{LINUX}", metadata=metadata, pure=False)
    payload = needs.pack([wheel], target(LINUX, "3.12"))
    packed = payload.files[f"installer/fast-1.0-cp312-cp312-{LINUX}.zip"]
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        text = archive.read("fast-1.0.dist-info/METADATA")
    assert text == b"Metadata-Version: 2.1\nName: fast\nVersion: 1.0\nLicense: MIT\n"


def test_licences_come_along(needs: Needs) -> None:
    files = {"fast.py": b"", "fast-1.0.dist-info/licenses/LICENSE": b"free"}
    wheel = make_wheel("fast", tag=f"cp312-cp312-{LINUX}", files=files, pure=False)
    payload = needs.pack([wheel], target(LINUX, "3.12"))
    packed = listed(payload.files[f"installer/fast-1.0-cp312-cp312-{LINUX}.zip"])
    assert "fast-1.0.dist-info/licenses/LICENSE" in packed


def test_modules_are_compiled_for_a_python_that_is_here(needs: Needs) -> None:
    here = host_target()
    wheel = compiled(f"{here.abis[0]}-{here.abis[0]}-{here.platforms[0]}")
    payload = needs.pack([wheel], here)
    (name,) = (name for name in payload.sets[0].files if name.endswith(f".{here.abis[0]}.zip"))
    tag = sys.implementation.cache_tag
    assert f"wheelferry_installer/__pycache__/cli.{tag}.pyc" in listed(payload.files[name])


def test_targets_that_cannot_run_the_installer_are_passed_over(needs: Needs) -> None:
    wheel = compiled(f"cp312-cp312-{LINUX}")
    payload = needs.pack([wheel], target(LINUX, "3.8"), target(LINUX, "3.12"))
    assert [one.python for one in payload.sets] == ["3.12"]


def test_refuses_targets_of_which_none_can_run_the_installer(needs: Needs) -> None:
    with pytest.raises(UnfitError, match=r"it runs with Python 3\.10 and newer"):
        needs.pack([compiled(f"cp38-cp38-{LINUX}")], target(LINUX, "3.8"))


def test_says_for_which_target_the_installer_has_no_wheel(needs: Needs) -> None:
    with pytest.raises(WheelferryError, match="the installer cannot be carried: ") as caught:
        needs.pack([compiled("cp312-cp312-win_amd64")], target(LINUX, "3.12"))
    assert "cp312" in str(caught.value)


def test_lock_is_what_the_development_environment_is_locked_to() -> None:
    script = ROOT / "bundler/lock_installer.py"
    subprocess.run([sys.executable, script, "--check"], check=True)


def test_lock_names_no_index() -> None:
    assert "://" not in LOCK.read_text(encoding="utf-8")
