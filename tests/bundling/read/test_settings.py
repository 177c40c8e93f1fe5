"""`[tool.wheelferry]`: where it is found, and what is said of what is wrong with it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wheelferry_bundler import api
from wheelferry_bundler.read.inputs import find_source
from wheelferry_bundler.read.settings import Settings, read_settings
from wheelferry_bundler.read.settings_keys import KEYS, TARGET_KEYS, plainly_right
from wheelferry_bundler.read.settings_models import SettingsModel, errors_of

HEAD = '[project]\nname = "app"\nversion = "1.0"\n\n[tool.wheelferry]\n'
FIRST = HEAD.count("\n") + 1
LOCK = 'version = 1\nrequires-python = ">=3.10"\n'
SECRET = "hunter2"

WRONG = {
    "misspelt platform": ('plaform = "win_amd64"', "plaform is no setting; did you mean platform?"),
    "misspelt python": ('pyton = "3.12"', "pyton is no setting; did you mean python?"),
    "misspelt extra": ('extras = "a"', "extras is no setting; did you mean extra?"),
    "misspelt group": ('groups = ["a"]', "groups is no setting; did you mean group?"),
    "misspelt no-dev": ("no_dev = true", "no_dev is no setting; did you mean no-dev?"),
    "misspelt find-links": ('find_link = "a"', "find_link is no setting; did you mean find-links?"),
    "misspelt index-url": ('index-urls = "a"', "index-urls is no setting; did you mean index-url?"),
    "misspelt expires": ('expire = "45d"', "expire is no setting; did you mean expires?"),
    "misspelt output": ('ouput = "a"', "ouput is no setting; did you mean output?"),
    "misspelt key": ('keys = "a"', "keys is no setting; did you mean key?"),
    "misspelt package": ('packages = "a"', "packages is no setting; did you mean package?"),
    "misspelt targets": (
        '[tool.wheelferry.target.a]\nplatform = "win32"',
        "target is no setting; did you mean targets?",
    ),
    "misspelt describe": (
        '[tool.wheelferry.targets.a]\ndescribes = "a"\nplatform = "win32"',
        "targets.a.describes is no setting; did you mean describe?",
    ),
    "unknown key": ("colour = 1", "colour is no setting"),
    "unknown table": ("[tool.wheelferry.gates]\na = 1", "gates is no setting"),
    "platform is a number": ("platform = 3", "platform takes a text, or a list of texts"),
    "platform is a table": ("platform = { a = 1 }", "platform takes a text, or a list of texts"),
    "a platform is a number": ('platform = ["win32", 3]', "platform takes a text"),
    "python is a number": ("python = 3.12", "python takes a text, or a list of texts"),
    "no-dev is a text": ('no-dev = "yes"', "no-dev takes true or false"),
    "all-extras is a number": ("all-extras = 1", "all-extras takes true or false"),
    "expires is a number": ("expires = 45", "expires takes a text"),
    "output is a list": ('output = ["a"]', "output takes a text"),
    "name is a flag": ("name = true", "name takes a text"),
    "format is a text": ('format = "1"', "format is 1"),
    "format is a flag": ("format = true", "format is 1"),
    "targets is a list": ("targets = []", "targets is a table of targets"),
    "a target is a text": ('targets.a = "win32"', "targets.a is a table"),
    "unknown platform": ('platform = "amiga"', "platform: unknown platform 'amiga'"),
    "unknown python": ('python = "2.7"', "python: '2.7' is not a Python version"),
    "no time": ('expires = "soon"', "expires: 'soon' is not an expiry time"),
    "no placeholder": ('output = "{nmae}.tar.zst"', "output: {nmae} is no placeholder"),
    "open brace": ('output = "{name.tar.zst"', "output: a brace of"),
    "no name of a bundle": ('name = "a b"', "name: 'a b' cannot name a bundle"),
    "no name of a group": ('group = "a b"', "group: 'a b' is not a name"),
    "no setting of a backend": ('config-setting = "fast"', "config-setting: 'fast' is not"),
    "empty path": ('find-links = ""', "find-links: names no file"),
    "no URL": ('index-url = "index"', "index-url: 'index' is not a URL"),
    "login in a URL": (
        f'index-url = "https://me:{SECRET}@index.example/"',
        "index-url: the URL holds a login or a query",
    ),
    "token in a URL": (
        f'index-url = "https://index.example/?token={SECRET}"',
        "index-url: the URL holds a login or a query",
    ),
    "key itself": (
        f'key = "-----BEGIN OPENSSH PRIVATE KEY-----{SECRET}"',
        "key: this is a key itself",
    ),
    "passphrase": (f'passphrase = "{SECRET}"', "passphrase is no setting: secrets do not belong"),
    "password": (f'index-password = "{SECRET}"', "index-password is no setting: secrets do not"),
    "unsigned": ("unsigned = true", "unsigned is no setting: --unsigned is said by a person"),
    "force": ("force = true", "force is no setting: --force is said by a person"),
    "allow-outside-paths": ("allow-outside-paths = true", "is said by a person, each time"),
    "allow-missing-hash": ("allow-missing-hash = true", "is said by a person, each time"),
    "passphrase-file": ('passphrase-file = "a"', "is said by a person, each time"),
    "newer format": ("format = 2", "format is 1: this version of wheelferry knows no other"),
    "name of a target leads out": (
        '[tool.wheelferry.targets."../x"]\nplatform = "win32"',
        "targets.../x is no name of a target",
    ),
    "name of a target is empty": (
        '[tool.wheelferry.targets.""]\nplatform = "win32"',
        "is no name of a target",
    ),
    "name of a target is large": (
        '[tool.wheelferry.targets.Factory]\nplatform = "win32"',
        "targets.Factory is no name of a target",
    ),
    "only-group and group": ('only-group = "a"\ngroup = "b"', "only-group excludes group"),
    "package and all-packages": ('package = "a"\nall-packages = true', "package excludes all-"),
    "only-dev and no-dev": ("only-dev = true\nno-dev = true", "only-dev excludes no-dev"),
    "describe and platform": (
        '[tool.wheelferry.targets.a]\ndescribe = "a.json"\nplatform = "win32"',
        "targets.a.describe leaves nothing to say to platform",
    ),
    "target without a platform": (
        '[tool.wheelferry.targets.a]\npython = "3.12"',
        "targets.a says for which platform it is neither here nor above",
    ),
}


def written(folder: Path, text: str, name: str = "pyproject.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return written(tmp_path / "project", LOCK, "uv.lock")


def read(folder: Path) -> Settings | None:
    return read_settings(find_source(folder))


def refused(folder: Path) -> api.UsageError:
    with pytest.raises(api.UsageError) as caught:
        read(folder)
    assert type(caught.value) is api.UsageError
    assert caught.value.exit_code == 2
    return caught.value


def test_wrong_settings_are_at_least_40() -> None:
    assert len(WRONG) >= 40


@pytest.mark.parametrize("name", WRONG)
def test_refuses_wrong_settings_with_their_line(project: Path, name: str) -> None:
    lines, said = WRONG[name]
    written(project, HEAD + "# a comment\n" + lines + "\n\n[tool.other]\nx = 1\n")
    error = refused(project)
    assert error.details == ()
    # A table is reported at its header, or at the key in it that is wrong.
    path, line, rest = error.message.split(":", 2)
    assert path == str(project / "pyproject.toml")
    assert FIRST + 1 <= int(line) <= FIRST + 1 + lines.count("\n")
    assert said in rest
    assert SECRET not in str(error) + str(error.hint)


def test_says_everything_at_once_in_the_order_of_the_file(project: Path) -> None:
    written(
        project,
        HEAD
        + """\
force = true
platform = [
  "win_amd64",
  "amiga",
]
no-dev = "yes"

[tool.uv]
package = false

[tool.wheelferry.targets.a]
plaform = "win32"
""",
    )
    error = refused(project)
    assert "4 mistakes" in error.message
    places = [int(line.split(":")[1]) - FIRST for line in error.details]
    assert places == [0, 3, 5, 11]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('tool.wheelferry.plaform = "a"\n', 1),
        ('[tool]\nx = 1\nwheelferry = { plaform = "a" }\n', 3),
        ('[tool]\nwheelferry = "a"\n', 2),
        ('[[tool.wheelferry]]\nplatform = "a"\n', 2),
        ('[a]\r\nx = 1\r\n[tool.wheelferry]\r\nplaform = "a"\r\n', 4),
        ('[tool.wheelferry]\nno-build = false\noutput = """\na{x}"""\n', 3),
        ('["tool"."wheelferry"]\n\n"no-dev" = 3\n', 3),
        ('[tool.a]\n[tool.wheelferry]\nkey = [\n # one\n "",\n]\n[tool.b]\n', 5),
    ],
)
def test_finds_the_line_in_all_that_toml_allows(project: Path, text: str, line: int) -> None:
    (project / "pyproject.toml").write_bytes(text.encode())
    assert refused(project).message.startswith(f"{project / 'pyproject.toml'}:{line}: ")


@pytest.mark.parametrize("key", sorted(TARGET_KEYS))
def test_refuses_a_wrong_type_of_every_key(project: Path, key: str) -> None:
    written(project, f"[tool.wheelferry.targets.a]\nplatform = 'win32'\n{key} = 1979-05-27\n")
    if key == "platform":
        written(project, f"[tool.wheelferry.targets.a]\n\n{key} = 1979-05-27\n")
    error = refused(project)
    assert f":3: targets.a.{key} takes " in "\n".join((error.message, *error.details))


def test_there_are_no_settings_without_a_table(project: Path) -> None:
    assert read(project) is None
    written(project, "[tool.other]\nwheelferry = 1\n")
    assert read(project) is None


def test_reads_a_table_and_an_own_file_alike(project: Path) -> None:
    text = 'no-dev = true\n[targets.factory]\nplatform = "win32"\n'
    written(project, text, "wheelferry.toml")
    own = read(project)
    (project / "wheelferry.toml").unlink()
    written(project, "[tool.wheelferry]\n" + text.replace("[targets", "[tool.wheelferry.targets"))
    table = read(project)
    assert own is not None
    assert table is not None
    assert (own.values, own.targets) == (table.values, table.targets)
    assert own.values == {"no-dev": True}
    assert own.targets == {"factory": {"platform": ("win32",)}}


def test_refuses_two_files(project: Path) -> None:
    written(project, HEAD)
    written(project, "no-dev = true\n", "wheelferry.toml")
    error = refused(project)
    assert "pyproject.toml" in error.message
    assert "wheelferry.toml" in error.message


def test_an_own_file_has_no_prefix(project: Path) -> None:
    written(project, "[tool.wheelferry]\nno-dev = true\n", "wheelferry.toml")
    assert "without [tool." in refused(project).message


@pytest.mark.parametrize("data", [b"no-dev = \n", b"no-dev = tr\xff\n", b"a = 1\na = 2\n"])
def test_refuses_an_own_file_that_is_not_toml(project: Path, data: bytes) -> None:
    (project / "wheelferry.toml").write_bytes(data)
    assert "wheelferry.toml is not TOML" in refused(project).message


def test_refuses_a_project_file_that_is_not_toml_with_its_line(project: Path) -> None:
    written(project, "[project]\nname =\n")
    with pytest.raises(api.MalformedError, match="line 2"):
        read(project)


@pytest.mark.parametrize("name", ["pyproject.toml", "wheelferry.toml"])
def test_a_file_that_cannot_be_read_is_named(project: Path, name: str) -> None:
    (project / name).symlink_to(project / name)
    with pytest.raises(api.TransferError, match=name):
        read(project)


def test_a_script_has_its_settings_in_its_block(tmp_path: Path) -> None:
    written(tmp_path, HEAD + "no-dev = true\n")
    script = "# /// script\n# dependencies = []\n#\n# [tool.wheelferry]\n# expires = '3d'\n# ///\n"
    written(tmp_path, script, "tool.py")
    found = read(tmp_path / "tool.py")
    assert found is not None
    assert found.values == {"expires": "3d"}
    assert found.line_of("expires") == 5


def test_mistakes_in_a_script_have_the_line_of_the_script(tmp_path: Path) -> None:
    script = "#!/usr/bin/env python3\n\n# /// script\n# dependencies = []\n# [tool.wheelferry]\n"
    written(tmp_path, script + "# expire = '3d'\n# ///\n", "tool.py")
    assert refused(tmp_path / "tool.py").message.startswith(f"{tmp_path / 'tool.py'}:6: expire ")


def test_a_script_without_a_table_takes_no_other_file(tmp_path: Path) -> None:
    written(tmp_path, HEAD + "no-dev = true\n")
    written(tmp_path, "# /// script\n# dependencies = []\n# ///\n", "tool.py")
    assert read(tmp_path / "tool.py") is None


WORKSPACE = "[tool.uv.workspace]\nmembers = ['packages/*']\nexclude = ['packages/other']\n"


def member(root: Path, name: str, table: str = "[tool.wheelferry]\nno-dev = true\n") -> Path:
    return written(root / "packages" / name, f"[project]\nname = '{name}'\n{table}")


def test_the_root_of_a_workspace_holds_and_says_so(project: Path) -> None:
    written(project, WORKSPACE + "[tool.wheelferry]\nexpires = '3d'\n")
    one = member(project, "one")
    member(project, "two", "")
    member(project, "other")
    found = read(project)
    assert found is not None
    assert found.values == {"expires": "3d"}
    [note] = found.notes
    assert str(one / "pyproject.toml") in note
    assert "do not count" in note


def test_the_root_holds_for_a_member_that_is_the_source(project: Path) -> None:
    written(project, WORKSPACE + "[tool.wheelferry]\nexpires = '3d'\n")
    found = read(member(project, "one"))
    assert found is not None
    assert found.path == project / "pyproject.toml"
    assert len(found.notes) == 1


def test_a_project_that_is_no_member_has_its_own(project: Path) -> None:
    written(project, WORKSPACE + "[tool.wheelferry]\nexpires = '3d'\n")
    for name in ("other", "one"):
        found = read(member(project, name))
        assert found is not None
        assert (found.values == {"no-dev": True}) == (name == "other")


def test_a_member_has_its_own_where_the_root_has_none(project: Path) -> None:
    written(project, WORKSPACE)
    found = read(member(project, "one"))
    assert found is not None
    assert found.values == {"no-dev": True}
    assert found.notes == ()


TEXTS = st.sampled_from(["a", "win32", "3.12", "45d", "x=y", "https://index.example/", "", "{a}"])
VALUES = st.one_of(TEXTS, st.lists(st.one_of(TEXTS, st.integers())), st.booleans(), st.integers())
OPTIONS = st.dictionaries(st.sampled_from([*TARGET_KEYS, "other"]), VALUES, max_size=4)
TABLES = st.builds(
    lambda options, more: {**options, **more},
    OPTIONS,
    st.fixed_dictionaries(
        {},
        optional={
            "format": st.sampled_from([1, 2, True, 1.0, "1"]),
            "targets": st.dictionaries(
                st.sampled_from(["a", "A", "a\n", "../x", ""]),
                st.one_of(OPTIONS, TEXTS),
                max_size=2,
            ),
        },
    ),
)


@given(table=st.one_of(TABLES, VALUES))
@settings(max_examples=500)
def test_what_is_plainly_right_is_what_the_models_take(table: Any) -> None:
    right = plainly_right(table)
    errors = errors_of(table)
    assert (right is None) == bool(errors)
    if right is not None:
        model = SettingsModel.model_validate(table).model_dump(by_alias=True, exclude_unset=True)
        assert (model.pop("format", 1), model.pop("targets", {})) == (1, right[1])
        assert model == right[0]


def test_models_have_the_keys() -> None:
    fields = [field.alias or name for name, field in SettingsModel.model_fields.items()]
    assert fields == [*KEYS, "format", "targets"]
