"""Which bundles come of settings and the command line together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.making.locks import target
from wheelferry_bundler import api
from wheelferry_bundler.create.wanted_bundles import WantedBundle, wanted_bundles
from wheelferry_bundler.read.inputs import find_source
from wheelferry_bundler.read.settings import read_settings
from wheelferry_bundler.read.settings_keys import Value
from wheelferry_schemas.models import canonical_json

CREATED = 1_700_000_000
LINUX, WINDOWS = "cp312-manylinux_2_28_x86_64", "cp312-win_amd64"
BOTH = """
python = "3.12"
[targets.linux]
platform = "manylinux_2_28_x86_64"
[targets.windows]
platform = "win_amd64"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "uv.lock").write_text("version = 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(
    folder: Path, settings: str | None = None, **given: Value
) -> Mapping[str, tuple[list[str], WantedBundle]]:
    """Return the bundles by their file, each with the ids of its targets."""
    if settings is not None:
        (folder / "wheelferry.toml").write_text(settings, encoding="utf-8")
    found = read_settings(find_source(Path()))
    options = {name.replace("_", "-"): value for name, value in given.items()}
    bundles = wanted_bundles(found, options, CREATED)
    assert len({bundle.output for bundle in bundles}) == len(bundles)
    return {str(b.output): ([t.id for t in b.targets], b) for b in bundles}


def only(folder: Path, settings: str | None = None, **given: Value) -> WantedBundle:
    [(_, bundle)] = made(folder, settings, **given).values()
    return bundle


def test_without_anything_it_is_this_host(folder: Path) -> None:
    bundle = only(folder)
    assert bundle.targets == api.make_targets()
    assert bundle.output == Path("bundle.tar.zst")
    assert (bundle.keys, bundle.names, bundle.self_contained) == ((), (), False)
    assert bundle.options == api.CreateOptions()


def test_settings_mean_what_options_mean(folder: Path) -> None:
    settings = """
platform = "win_amd64"
python = ["3.12", "3.11"]
extra = "fast"
no-dev = true
no-install-package = ["a", "b"]
find-links = "vendor"
index-url = "https://index.example/simple"
config-setting = "a=b"
expires = "45d"
name = "app"
self-contained = true
key = "~/key"
"""
    typed: dict[str, Value] = {
        "platform": ("win_amd64",),
        "python": ("3.12", "3.11"),
        "extra": ("fast",),
        "no_dev": True,
        "no_install_package": ("a", "b"),
        "find_links": ("vendor",),
        "index_url": ("https://index.example/simple",),
        "config_setting": ("a=b",),
        "expires": "45d",
        "name": "app",
        "self_contained": True,
        "key": (str(Path("~/key").expanduser()),),
    }
    by_command_line = only(folder, None, **typed)
    assert by_command_line.options.no_groups == ("dev",)
    assert by_command_line.options.expires == CREATED + 45 * 24 * 60 * 60
    assert by_command_line.output == Path("bundle.pyz")
    assert only(folder, settings) == by_command_line


def test_named_targets_share_a_file(folder: Path) -> None:
    assert {output: ids for output, (ids, _) in made(folder, BOTH).items()} == {
        "bundle.tar.zst": [LINUX, WINDOWS]
    }
    assert only(folder).names == ("linux", "windows")


def test_one_named_target_is_asked_for(folder: Path) -> None:
    assert only(folder, BOTH, target=("windows",)).names == ("windows",)


@pytest.mark.parametrize("given", [{"platform": ("win32",)}])
def test_a_platform_makes_no_named_target(folder: Path, given: dict[str, Value]) -> None:
    bundle = only(folder, BOTH, **given)
    assert [target.id for target in bundle.targets] == ["cp312-win32"]
    assert bundle.names == ()


def test_a_python_replaces_that_of_named_targets(folder: Path) -> None:
    bundle = only(folder, BOTH, python=("3.13",))
    assert [one.id for one in bundle.targets] == [
        "cp313-manylinux_2_28_x86_64",
        "cp313-win_amd64",
    ]


def test_a_described_target_is_as_described(folder: Path) -> None:
    described = target(python="3.11.4")
    (folder / "factory.target.json").write_bytes(canonical_json(described.plain()))
    settings = 'platform = "win32"\n[targets.factory]\ndescribe = "factory.target.json"\n'
    assert only(folder, settings).targets == (described,)
    with pytest.raises(api.UsageError, match=r"factory is described by factory\.target\.json"):
        made(folder, settings, python=("3.12",))


def test_a_file_that_has_the_name_of_a_target_needs_its_folder(folder: Path) -> None:
    described = target(python="3.11.4")
    (folder / "windows").write_bytes(canonical_json(described.plain()))
    assert only(folder, BOTH, target=("windows",)).names == ("windows",)
    assert only(folder, BOTH, target=("./windows",)).targets == (described,)


def test_a_file_does_not_come_with_the_platforms_of_settings(folder: Path) -> None:
    described = target(python="3.11.4")
    (folder / "t.json").write_bytes(canonical_json(described.plain()))
    settings = 'platform = "win32"\npython = "3.12"\nno-dev = true\n'
    bundle = only(folder, settings, target=("t.json",))
    assert bundle.targets == (described,)
    assert bundle.options.no_groups == ("dev",)


def test_a_target_that_is_not_there_is_named_with_those_that_are(folder: Path) -> None:
    with pytest.raises(api.UsageError, match="no target window") as caught:
        made(folder, BOTH, target=("window",))
    assert "linux, windows" in str(caught.value.hint)


def test_with_the_target_in_its_name_each_has_a_file(folder: Path) -> None:
    bundles = made(folder, 'output = "{name}-{target}-{date}.tar.zst"\n' + BOTH)
    assert {output: ids for output, (ids, _) in bundles.items()} == {
        "{name}-linux-2023-11-14.tar.zst": [LINUX],
        "{name}-windows-2023-11-14.tar.zst": [WINDOWS],
    }


def test_targets_without_names_are_told_apart_by_their_ids(folder: Path) -> None:
    typed: dict[str, Value] = {
        "platform": ("win_amd64", "win32"),
        "python": ("3.12",),
        "output": "{target}",
    }
    assert set(made(folder, None, **typed)) == {WINDOWS, "cp312-win32"}


def test_targets_with_options_of_their_own_have_files_of_their_own(folder: Path) -> None:
    bundles = made(folder, BOTH + 'group = "reports"\noutput = "windows.tar.zst"\n')
    assert bundles["windows.tar.zst"][1].options.groups == ("reports",)
    assert bundles["bundle.tar.zst"][1].options.groups == ()


def test_one_file_of_different_options_is_refused_by_both_names(folder: Path) -> None:
    with pytest.raises(api.UsageError, match="target linux and the target windows would both be"):
        made(folder, BOTH + 'group = "reports"\n')


def test_two_descriptions_of_one_id_in_a_file_are_refused(folder: Path) -> None:
    for name, python in (("a", "3.11.4"), ("b", "3.11.5")):
        one = target(python=python).plain() | {"id": "same"}
        (folder / f"{name}.json").write_text(json.dumps(one), encoding="utf-8")
    settings = "".join(f'[targets.{n}]\ndescribe = "{n}.json"\n' for n in "ab")
    with pytest.raises(api.UsageError, match="target a and the target b would both be"):
        made(folder, settings)


@pytest.mark.parametrize(
    ("settings", "given", "field", "value"),
    [
        ('group = ["a", "b"]', {"group": ("c",)}, "groups", ("c",)),
        ('extra = "a"', {"extra": ("b",)}, "extras", ("b",)),
        ("no-dev = true", {"no_dev": False}, "no_groups", ()),
        ("no-dev = true", {"group": ("dev",)}, "no_groups", ()),
        ("no-dev = true", {"only_dev": True}, "no_groups", ()),
        ('no-group = ["a", "b"]', {"group": ("a",)}, "no_groups", ("b",)),
        ('group = ["a", "b"]', {"no_group": ("a",)}, "groups", ("b",)),
        ('group = "a"', {"only_group": ("b",)}, "groups", ()),
        ('only-group = "a"', {"group": ("b",)}, "only_groups", ()),
        ('only-group = "a"', {"all_extras": True}, "only_groups", ()),
        ('package = "a"', {"all_packages": True}, "packages", ()),
        ("all-packages = true", {"package": ("a",)}, "all_packages", False),
        ('find-links = "a"', {"find_links": ("b",)}, "find_links", (Path("b"),)),
        ('expires = "45d"', {"expires": "1d"}, "expires", CREATED + 24 * 60 * 60),
        ('name = "a"', {"name": "b"}, "name", "b"),
    ],
)
def test_the_command_line_wins(
    folder: Path, settings: str, given: dict[str, Value], field: str, value: object
) -> None:
    assert getattr(only(folder, settings, **given).options, field) == value


def test_an_option_that_does_not_exist_is_named(folder: Path) -> None:
    with pytest.raises(api.UsageError, match="no option of a bundle: groups"):
        made(folder, groups=("a",))


def test_a_target_wins_over_the_table(folder: Path) -> None:
    settings = 'group = "a"\nno-dev = true\n' + BOTH + 'group = []\noutput = "w"\nno-dev = false\n'
    options = made(folder, settings)["w"][1].options
    assert (options.groups, options.no_groups) == ((), ())


def test_paths_start_at_the_file_that_states_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "wheelferry.toml").write_text(
        'find-links = "vendor"\noutput = "out.tar.zst"\nkey = ["../key", "/abs/key"]\n'
        'python-archive = ["a.tar.gz", "cp312-win32=b.tar.gz"]\n',
        encoding="utf-8",
    )
    below = folder / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    [bundle] = wanted_bundles(read_settings(find_source(Path(".."))), {}, CREATED)
    assert bundle.options.find_links == (Path("../vendor"),)
    assert bundle.output == Path("../out.tar.zst")
    assert bundle.keys == (Path("../../key"), Path("/abs/key"))
    assert bundle.options.python_archives == ("../a.tar.gz", "cp312-win32=../b.tar.gz")


@pytest.mark.parametrize(
    "settings",
    [
        'find-links = ["vendor", "../vendor"]',
        'output = "/tmp/out.tar.zst"',
        'output = "~/out.tar.zst"',
        'python-archive = "cp312-win32=../a.tar.gz"',
        '[targets.a]\ndescribe = "a/../../b.json"',
    ],
)
def test_a_path_that_leads_out_is_refused_unless_allowed(folder: Path, settings: str) -> None:
    text = 'platform = "win32"\npython = "3.12"\n' * (not settings.startswith("[")) + settings
    with pytest.raises(api.UsageError, match=r"toml:\d: .*leads out of the project") as caught:
        made(folder, text)
    assert "--allow-outside-paths" in str(caught.value.hint)
    if "describe" not in settings:
        assert only(folder, text, allow_outside_paths=True).options.allow_outside_paths


def test_a_path_that_is_replaced_may_lead_out(folder: Path) -> None:
    assert only(folder, 'output = "/tmp/x"', output="here").output == Path("here")


def test_what_is_typed_may_lead_out(folder: Path) -> None:
    assert only(folder, "no-dev = true", output="/tmp/x").output == Path("/tmp/x")


@pytest.mark.parametrize("output", ["{x}", "{name", "a/"])
def test_a_name_that_cannot_be_filled_in_is_refused(folder: Path, output: str) -> None:
    with pytest.raises(api.UsageError):
        made(folder, output=output)
