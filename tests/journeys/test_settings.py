"""Settings as a user has them: said once in the project, used by every `bundle create`."""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import tomli
import uv

from support.making.projects import make_project
from support.making.wheels import make_wheel
from support.running.command import bundle, make_own_key, succeed, tree
from support.running.index import LocalIndex
from support.running.terminals import on_terminal
from wheelferry_bundler.api import make_targets
from wheelferry_bundler.commands.create import create
from wheelferry_bundler.commands.init import HOSTS, init
from wheelferry_bundler.commands.stated_options import option_name
from wheelferry_bundler.read.settings_keys import KEYS
from wheelferry_bundler.read.settings_mistakes import _SAID_EACH_TIME
from wheelferry_bundler.select.platforms import parse_platform

EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}
COMMAND = (sys.executable, "-m", "wheelferry_installer")
LOADED = """
import sys
from wheelferry_installer import cli
try:
    cli.main()
finally:
    names = {"pydantic", "pydantic_core", "tomlkit"} & set(sys.modules)
    print("loaded:", *sorted(names), file=sys.stderr)
"""
TARGETS = """
[tool.wheelferry]
no-dev = true
expires = "45d"

[tool.wheelferry.targets.factory]
platform = "manylinux_2_28_x86_64"
python = "3.12"

[tool.wheelferry.targets.office]
platform = "win_amd64"
python = "3.12"
"""
TYPED = (
    *("--no-dev", "--expires", "45d", "--python", "3.12"),
    *("--platform", "win_amd64", "--platform", "manylinux_2_28_x86_64"),
)


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Path:
    return make_project(
        tmp_path / "project",
        index,
        dependencies=[(make_wheel("pure"), None)],
        dev=[(make_wheel("tester"), None)],
    )


def say(project: Path, text: str) -> None:
    path = project / "pyproject.toml"
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def manifest(path: Path) -> dict[str, object]:
    shown: dict[str, object] = succeed("show", "--json", path, cwd=path.parent).data["manifest"]
    return shown


def test_settings_give_the_bytes_of_options_typed_out(project: Path) -> None:
    succeed("create", *TYPED, "-o", "typed.tar.zst", cwd=project, env=EPOCH)
    say(project, TARGETS)
    told = succeed("create", cwd=project, env=EPOCH).err
    assert "using the settings in pyproject.toml" in told
    made = project / "bundle.tar.zst"
    assert made.read_bytes() == (project / "typed.tar.zst").read_bytes()
    assert manifest(made)["made_from"] == manifest(project / "typed.tar.zst")["made_from"]
    assert '"--no-group dev"' in json.dumps(manifest(made)["made_from"])


def test_one_target_gives_the_bytes_of_its_options(project: Path) -> None:
    say(project, TARGETS)
    typed = ("--platform", "win_amd64", "--python", "3.12", "--no-dev", "--expires", "45d")
    succeed("create", "--no-settings", *typed, "-o", "typed", cwd=project, env=EPOCH)
    succeed("create", "--target", "office", "-o", "named", cwd=project, env=EPOCH)
    assert (project / "named").read_bytes() == (project / "typed").read_bytes()


def test_several_bundles_are_a_list_in_json(project: Path) -> None:
    say(project, TARGETS.replace("no-dev", 'output = "{name}-{version}-{target}.tar.zst"\nno-dev'))
    planned = succeed("create", "--dry-run", "--json", cwd=project).data["bundles"]
    names = ["demo-1.0-factory.tar.zst", "demo-1.0-office.tar.zst"]
    assert [one["bundle"] for one in planned] == names
    assert [len(one["targets"]) for one in planned] == [1, 1]
    made = succeed("create", "--json", cwd=project).data["bundles"]
    assert [one["bundle"] for one in made] == names
    for one in made:
        assert manifest(project / one["bundle"]) == one["manifest"]
    one = succeed("create", "--json", "--target", "office", "--force", cwd=project).data
    assert one["bundle"] == "demo-1.0-office.tar.zst"


def test_of_several_bundles_all_are_written_or_none(project: Path) -> None:
    output = 'output = "{target}.tar.zst"\nno-dev'
    say(project, TARGETS.replace("no-dev", output) + 'python-archive = "gone.tar.gz"\n')
    before = tree(project)
    assert bundle("create", cwd=project).code != 0
    assert tree(project) == before


def test_a_bundle_that_fails_late_leaves_those_before_it_unwritten(
    tmp_path: Path, index: LocalIndex
) -> None:
    windows = make_wheel("colours")
    project = make_project(
        tmp_path / "project",
        index,
        dependencies=[(make_wheel("pure"), None), (windows, "sys_platform == 'win32'")],
    )
    say(project, TARGETS.replace("no-dev", 'output = "{target}.tar.zst"\nno-dev'))
    (project / "factory.tar.zst").write_bytes(b"before")
    before = tree(project)
    # The office alone needs it, and its bundle is the second.
    index.files[windows.file_name] = bytes(len(windows.data))
    ran = bundle("create", "--force", cwd=project)
    assert ran.code == 4, ran.err
    assert len(index.file_requests("pure-1.0-py3-none-any.whl")) == 1
    assert windows.file_name in ran.err
    assert tree(project) == before


def test_wrong_settings_fetch_nothing(project: Path, index: LocalIndex) -> None:
    say(project, "[tool.wheelferry]\nplaform = 'win32'\nforce = true\n")
    ran = bundle("create", cwd=project)
    assert ran.code == 2
    assert "error: 2 mistakes in the settings of pyproject.toml" in ran.err
    lines = (project / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    line = 1 + next(i for i, text in enumerate(lines) if "plaform" in text)
    assert f"pyproject.toml:{line}: plaform is no setting; did you mean platform?" in ran.err
    assert f"pyproject.toml:{line + 1}: force is no setting" in ran.err
    assert index.requests == []
    succeed("create", "--no-settings", cwd=project)


def test_unsigned_leaves_the_key_of_settings_aside(project: Path) -> None:
    say(project, "[tool.wheelferry]\nkey = 'nowhere'\n")
    assert bundle("create", cwd=project).code == 2
    succeed("create", "--unsigned", cwd=project)


@pytest.mark.parametrize("arguments", [("verify",), ("install",), ("show",)])
def test_the_air_gapped_side_loads_no_reader_of_settings(
    project: Path, arguments: tuple[str, ...]
) -> None:
    succeed("create", cwd=project)
    say(project, TARGETS)
    assert loaded(project, *arguments, "bundle.tar.zst") == ""


def test_what_reports_mistakes_is_loaded_where_there_are_some(project: Path) -> None:
    assert loaded(project, "create", "--dry-run") == ""
    say(project, TARGETS)
    assert loaded(project, "create", "--dry-run") == ""
    assert loaded(project, "settings") == "tomlkit"
    say(project, "plaform = 'win32'\n")
    assert loaded(project, "create", "--dry-run", "--no-settings") == ""
    assert loaded(project, "create", "--dry-run", code=2) == "pydantic pydantic_core tomlkit"


def loaded(project: Path, *arguments: str, code: int = 0) -> str:
    run = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stderr
    return run.stderr.rpartition("loaded:")[2].strip()


def test_every_option_of_create_is_a_setting_or_said_each_time() -> None:
    options = {option_name(p) for p in create.params if p.param_type_name == "option"}  # type: ignore[arg-type]
    options = (options - {"dev", "target"}) | {"no-dev"}
    assert options == set(KEYS) | set(_SAID_EACH_TIME)


def test_every_option_of_init_is_a_setting() -> None:
    options = {option_name(p) for p in init.params if p.param_type_name == "option"}  # type: ignore[arg-type]
    assert (options - {"dev"}) | {"no-dev"} == set(KEYS)


def test_settings_are_shown_with_their_lines(project: Path) -> None:
    say(project, TARGETS)
    shown = succeed("settings", cwd=project).out
    lines = (project / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    line = 1 + lines.index("no-dev = true")
    told = [" ".join(text.split()) for text in shown.splitlines()]
    assert f"no-dev yes pyproject.toml:{line}" in told
    assert f"office: platform win_amd64 pyproject.toml:{line + 8}" in told
    assert "output bundle.tar.zst default" in told
    assert told[-1] == "makes bundle.tar.zst: cp312-manylinux_2_28_x86_64, cp312-win_amd64"
    data = succeed("settings", "--json", cwd=project).data
    assert data["file"] == "pyproject.toml"
    assert {
        "option": "no-dev",
        "target": None,
        "value": True,
        "from": "settings",
        "file": "pyproject.toml",
        "line": line,
    } in data["settings"]
    assert [one["names"] for one in data["bundles"]] == [["factory", "office"]]


def test_without_settings_the_defaults_are_shown(project: Path) -> None:
    ran = succeed("settings", cwd=project)
    assert "no settings" in ran.err
    assert "platform  this host's" in ran.out
    assert ran.out.splitlines()[-1] == f"makes bundle.tar.zst: {make_targets()[0].id}"


@pytest.fixture
def fresh(tmp_path: Path, index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as `uv init` makes it, with a dependency."""
    index.add(make_wheel("pure"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.simple_url)
    folder = tmp_path / "fresh"
    command = (
        uv.find_uv_bin(),
        "init",
        "-q",
        "--vcs",
        "none",
        "--no-package",
        "-p",
        sys.executable,
        folder,
    )
    subprocess.run(command, check=True)
    path = folder / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("dependencies = []", 'dependencies = ["pure"]'), encoding="utf-8")
    return folder


def added(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    changed = [line for line in lines if not line.startswith("  ")]
    assert [line for line in changed if not line.startswith("+ ")] == []
    return [line[2:] for line in changed]


def asked(folder: Path, *answers: tuple[str, str]) -> tuple[int, str]:
    """Run `bundle init` on a terminal, and answer what it asks."""
    return on_terminal((*COMMAND, "init"), columns=100, cwd=folder, answers=answers)


def test_two_commands_make_a_signed_bundle_of_a_fresh_project(fresh: Path) -> None:
    before = (fresh / "pyproject.toml").read_text(encoding="utf-8")
    code, said = asked(
        fresh,
        ("[1]", "99\n"),
        ("[1]", "1, windows, nonsense\n"),
        ("[1]", "1, 8\n"),
        ("Python", "\n"),
        ("Add it?", "\n"),
    )
    assert code == 0, said
    assert "there is no number 99" in said
    assert "unknown platform 'nonsense'" in said
    minor = f"3.{sys.version_info.minor}"
    assert added(before, (fresh / "pyproject.toml").read_text(encoding="utf-8")) == [
        "",
        "[tool.wheelferry]",
        'platform = ["manylinux_2_28_x86_64", "win_amd64"]',
        f'python = "{minor}"',
    ]
    make_own_key({})
    succeed("create", cwd=fresh)
    verified = succeed("verify", "--json", "bundle.tar.zst", cwd=fresh).data
    assert [signer["accepted"] for signer in verified["signers"]] == [True]


def test_groups_are_asked_for(project: Path) -> None:
    say(project, "[dependency-groups]\ndev = []\nprod = []\n")
    answers = [("[1]", "\n"), ("Python", "3.12\n"), ("[dev]", "no\n"), ("[dev]", "prod\n")]
    code, said = asked(project, *answers, ("Add it?", "y\n"))
    assert code == 0, said
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    assert tomli.loads(text)["tool"]["wheelferry"] == {
        "platform": "manylinux_2_28_x86_64",
        "python": "3.12",
        "group": "prod",
        "no-dev": True,
    }


def test_nothing_is_added_without_a_yes(project: Path) -> None:
    before = tree(project)
    code, said = asked(project, ("[1]", "\n"), ("Python", "3.12\n"), ("Add it?", "n\n"))
    assert code == 130, said
    assert tree(project) == before


def test_with_options_nothing_is_asked(project: Path) -> None:
    before = (project / "pyproject.toml").read_text(encoding="utf-8")
    ran = succeed(
        *("init", "--platform", "win_amd64", "--python", "3.12", "--no-dev", "--group", "dev"),
        *("--find-links", "vendor", "--output", "{name}.tar.zst", "--expires", "45d"),
        cwd=project,
    )
    after = (project / "pyproject.toml").read_text(encoding="utf-8")
    assert after.startswith(before)
    assert ran.out.splitlines() == after.removeprefix(before).strip().splitlines()
    data = succeed("settings", "--json", cwd=project).data
    assert data["bundles"][0]["output"] == "{name}.tar.zst"


def test_settings_that_are_there_are_not_touched(project: Path) -> None:
    say(project, "[tool.wheelferry]\n")
    before = tree(project)
    for arguments in ((), ("--no-dev",)):
        ran = bundle("init", *arguments, cwd=project)
        assert ran.code == 8
        assert "states settings already" in ran.err
    assert tree(project) == before


def test_without_a_terminal_something_has_to_be_said(project: Path) -> None:
    before = tree(project)
    ran = bundle("init", cwd=project)
    assert ran.code == 2
    assert "no terminal" in ran.err
    assert tree(project) == before


@pytest.mark.parametrize(
    "arguments", [("--platform", "amiga"), ("--expires", "soon"), ("--only-dev", "--group", "a")]
)
def test_wrong_options_add_nothing(project: Path, arguments: tuple[str, ...]) -> None:
    before = tree(project)
    assert bundle("init", *arguments, cwd=project).code == 2
    assert tree(project) == before


def test_hosts_that_are_suggested_exist() -> None:
    assert [parse_platform(tag).name for _, tag in HOSTS] == [tag for _, tag in HOSTS]
