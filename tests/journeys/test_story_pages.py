"""The stories for operators, and the page of errors: all of their commands, as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
import uv

from support.making.projects import make_project
from support.making.wheels import make_wheel
from support.running.command import succeed
from support.running.index import LocalIndex
from support.running.pages import DOCS, Page, Room
from wheelferry_installer.cli import bundle

TOOLS = (*(str(Path(path).parent) for path in (sys.executable, uv.find_uv_bin())), "/bin")
MAY = "1700000000"


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    """The medium that is carried to and fro."""
    folder = tmp_path / "usb"
    folder.mkdir()
    return folder


@pytest.fixture
def rooms(tmp_path: Path, usb: Path, index: LocalIndex) -> dict[str, Room]:
    """The hosts of the pages, each with a home of its own and the medium in it.

    Blocks of `internet` and `bare`, which fetch wheelferry itself from PyPI, are passed over.
    """
    rooms = {}
    for name in ("online", "bob", "far", "internet", "bare"):
        folder = tmp_path / name
        (folder / "home").mkdir(parents=True)
        (folder / "usb").symlink_to(usb)
        environment = {
            "PATH": os.pathsep.join((str(tmp_path / "bin"), *TOOLS)),
            "HOME": str(folder / "home"),
            "XDG_STATE_HOME": str(folder / "home" / ".local" / "state"),
            "LANG": "C.UTF-8",
        }
        rooms[name] = Room(folder=folder, environment=environment)
    online = {**rooms["online"].environment, "UV_DEFAULT_INDEX": index.simple_url}
    rooms["online"] = replace(rooms["online"], environment=online)
    for name in ("internet", "bare"):
        rooms[name] = replace(rooms[name], prefix=("true",))
    return rooms


def versions(environment: Path) -> set[str]:
    infos = environment.glob("lib/python3*/site-packages/*.dist-info")
    return {info.name.removesuffix(".dist-info") for info in infos}


def config(room: Room) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": f"{room.environment['HOME']}/.config"}


def test_first_crossing(rooms: dict[str, Room], index: LocalIndex) -> None:
    make_project(rooms["online"].folder, index, [(make_wheel("pure"), None)])
    Page(path=DOCS / "tutorial/first-crossing.md", rooms=rooms).run()
    assert versions(rooms["far"].folder / "app") == {"demo-1.0", "pure-1.0"}


@pytest.mark.ends
@pytest.mark.online
def test_wheelferry_itself_crosses(rooms: dict[str, Room]) -> None:
    internet, bare = rooms["internet"], rooms["bare"]
    (internet.folder / "wheelferry").symlink_to(DOCS.parent)
    others = {name: replace(rooms[name], prefix=("true",)) for name in ("online", "far")}
    # Proxies and certificates are this host's; for pip, falsy is what switches compiling off.
    settings = {**os.environ, **internet.environment, "PIP_NO_COMPILE": "0"}
    fetching = {
        "internet": replace(internet, prefix=(), environment=settings),
        "bare": replace(bare, prefix=()),
    }
    Page(path=DOCS / "tutorial/first-crossing.md", rooms={**others, **fetching}).run()
    assert (bare.folder / "wheelferry-tool/bin/bundle").exists()
    assert (bare.folder / "wheelferry.pyz").exists()


def test_two_person_signing(rooms: dict[str, Room], usb: Path, index: LocalIndex) -> None:
    far = rooms["far"]
    make_project(rooms["online"].folder, index, [(make_wheel("pure"), None)])
    Page(path=DOCS / "how-to/two-person-signing.md", rooms=rooms).run()
    assert versions(far.folder / ".venv") == {"demo-1.0", "pure-1.0"}
    verified = succeed("verify", "--json", usb / "bundle.tar.zst", cwd=usb, env=config(far))
    assert [(signer["name"], signer["accepted"]) for signer in verified.data["signers"]] == [
        (None, False),
        ("bob", True),
        ("alice", True),
    ]


@pytest.fixture
def _may(rooms: dict[str, Room], usb: Path, index: LocalIndex, tmp_path: Path) -> None:
    """What May left: a project with a lock, its bundle, and that installed over there."""
    online, far = rooms["online"], rooms["far"]
    (online.folder / "pyproject.toml").write_text(
        "[project]\nname = 'app'\nversion = '1.0'\nrequires-python = '>=3.10'\n"
        "dependencies = ['pure']\n[tool.uv]\npackage = false\n",
        encoding="utf-8",
    )
    index.add(make_wheel("pure", "5.0"))
    locked = {**online.environment, "UV_NO_CACHE": "1"}
    subprocess.run([uv.find_uv_bin(), "lock", "-q"], cwd=online.folder, env=locked, check=True)
    made = {**config(online), "SOURCE_DATE_EPOCH": MAY}
    succeed("create", "--output", usb / "may.tar.zst", cwd=online.folder, env=made)
    key = Path(online.environment["HOME"]) / ".config/wheelferry/signing_key.pub"
    succeed("trust", "add", "--yes", key, cwd=usb, env=config(far))
    succeed("install", usb / "may.tar.zst", cwd=far.folder, env=config(far))
    index.add(make_wheel("pure", "6.0"))
    restart = tmp_path / "bin/systemctl"
    restart.parent.mkdir()
    restart.write_text("#!/bin/sh\nls .venv/lib/python3*/site-packages >> restarts\n", "ascii")
    restart.chmod(0o755)


@pytest.mark.usefixtures("_may")
def test_monthly_update(rooms: dict[str, Room]) -> None:
    Page(path=DOCS / "how-to/monthly-update.md", rooms=rooms).run()
    restarts = (rooms["far"].folder / "restarts").read_text(encoding="utf-8")
    assert re.findall(r"pure-(.)", restarts) == ["6", "5", "6", "5"]


@pytest.mark.usefixtures("_may")
def test_errors(rooms: dict[str, Room], usb: Path) -> None:
    (usb / "may.tar.zst").rename(rooms["far"].folder / "bundle.tar.zst")
    Page(path=DOCS / "reference/errors.md", rooms=rooms).run()


def test_options_that_pages_speak_of_exist() -> None:
    texts = [page.read_text(encoding="utf-8") for page in sorted(DOCS.rglob("*.md"))]
    commands = [typed for text in texts for typed in re.findall(r"`bundle ([a-z][^`]*)`", text)]
    assert len(commands) > 20
    assert [typed for typed in commands if not is_known(typed)] == []


def is_known(typed: str) -> bool:
    """Tell whether a command line names a command and options that it has."""
    command: click.Command | None = bundle
    words = typed.split()
    while isinstance(command, click.Group) and words:
        command = command.get_command(click.Context(bundle), words.pop(0))
    if command is None:
        return False
    known = {option for parameter in command.params for option in parameter.opts}
    return {word for word in words if word.startswith("-")} <= known | {"--help"}


@pytest.mark.parametrize("folder", ["", "decisions"])
def test_index_lists_every_page(folder: str) -> None:
    index = DOCS / folder / "README.md"
    listed = set(re.findall(r"\]\(([\w/-]+\.md)\)", index.read_text("utf-8")))
    there = {path.relative_to(index.parent).as_posix() for path in index.parent.rglob("*.md")}
    elsewhere = {path for path in there if path.startswith("decisions/0")}
    assert listed == there - elsewhere - {"README.md"}


def test_readme_is_short_and_says_first_how_to_install() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert len(readme.split()) < 900
    headings = re.findall(r"^## (.*)$", readme, re.MULTILINE)
    assert headings[0] == "Install"
    assert "Try it" in headings
    for command in (
        "uv tool install wheelferry",
        "pip install wheelferry",
        "make demo",
        "make test",
    ):
        assert command in readme


@pytest.mark.parametrize("said", ["2 …\n", "3 added\nmore\n", "…\n3 …\n"])
def test_a_transcript_that_is_not_what_is_printed_fails(
    said: str, tmp_path: Path, rooms: dict[str, Room]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```sh far\necho 2 added; echo more\n```\n\n```output\n{said}```\n", "utf-8")
    with pytest.raises(AssertionError):
        Page(path=page, rooms=rooms).run()
    page.write_text(page.read_text("utf-8").replace(said, "2 …\n…\n"), "utf-8")
    Page(path=page, rooms=rooms).run()


def test_links_of_pages_lead_to_files_and_headings() -> None:
    others = ("*.md", "benchmarks/*.md", "examples/*/*.md", "schemas/*.md")
    pages = [*DOCS.rglob("*.md"), *(page for name in others for page in DOCS.parent.glob(name))]
    links = [
        (page, *link)
        for page in pages
        for link in re.findall(r"\]\(([^):#]*)#?([^)]*)\)", page.read_text(encoding="utf-8"))
    ]
    assert len(links) > 40
    assert [link for link in links if not leads_somewhere(*link)] == []


def leads_somewhere(page: Path, path: str, heading: str) -> bool:
    target = page.parent / path if path else page
    if not heading or not target.exists():
        return target.exists()
    headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return heading in {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}
