"""`bundle diff`: what a newer bundle changes, of packages and of Pythons."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from support.making.bundles import make_bundle
from support.making.python_archives import described, interpreter, tar_of, write
from support.making.wheels import TinyWheel, make_wheel
from support.running.command import Ran
from support.running.hosts import target

Main = Callable[..., Ran]
Diff = Callable[..., Ran]
Bundle = Callable[..., Path]
LINUX, WINDOWS, MAC = target(), target("win_amd64"), target("macosx_11_0_arm64")
TRIPLE = "x86_64-unknown-linux-gnu-install_only.tar.gz"
OLD, NEW = f"cpython-3.12.4+20240726-{TRIPLE}", f"cpython-3.12.5+20240814-{TRIPLE}"


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """Makes a bundle of these wheels, with Pythons by target: their name, and what runs in them."""

    def make(
        name: str,
        wheels: Sequence[TinyWheel] = (),
        pythons: Sequence[tuple[str, str, Sequence[str]]] = (),
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        return make_bundle(
            folder / "bundle.tar.zst",
            wheels,
            targets=[LINUX, WINDOWS],
            pythons=[
                described(write(folder / file, tar_of([interpreter(text=f"#!{runs}\n")])), *ids)
                for file, runs, ids in pythons
            ],
        )

    return make


@pytest.fixture
def diff(main: Main, bundle: Bundle) -> Diff:
    """Compares a bundle with an old Python with one with these."""

    def run(*pythons: tuple[str, str, Sequence[str]], options: Sequence[str] = ()) -> Ran:
        old = bundle("old", pythons=[(OLD, "/bin/sh", [LINUX.id])])
        return main("diff", old, bundle("new", pythons=pythons), *options)

    return run


def test_packages_come_go_and_change(main: Main, bundle: Bundle) -> None:
    old = bundle("old", [make_wheel("gone"), make_wheel("stays"), make_wheel("updated")])
    other = make_wheel("stays", files={"stays.py": b""})
    new = bundle("new", [make_wheel("added"), other, make_wheel("updated", "2.0")])
    assert main("diff", old, new).out.splitlines() == [
        f"{sign} {shown.id}: {what}"
        for shown in (LINUX, WINDOWS)
        for sign, what in (
            ("+", "added 1.0"),
            ("-", "gone 1.0"),
            ("~", "stays 1.0 (same version, other file)"),
            ("~", "updated 1.0 -> 2.0"),
        )
    ] + ["2 added, 4 changed, 2 removed"]


def test_target_that_comes_or_goes_is_one_line(main: Main, tmp_path: Path) -> None:
    wheels = [make_wheel("one"), make_wheel("two")]
    made = []
    for name, targets in (("old", [LINUX, WINDOWS]), ("new", [WINDOWS, MAC])):
        (tmp_path / name).mkdir()
        made.append(make_bundle(tmp_path / name / "bundle.tar.zst", wheels, targets=targets))
    assert main("diff", *made).out.splitlines() == [
        f"- {LINUX.id}: no longer a target, 2 packages",
        f"+ {MAC.id}: a new target, 2 packages",
        "1 target new, 1 target gone",
    ]
    assert len(main("diff", *made, "--json").data) == 4


def test_python_that_is_replaced(diff: Diff) -> None:
    ran = diff((NEW, "/bin/sh", [LINUX.id]))
    assert ran.out == f"~ {LINUX.id}: Python {OLD} -> {NEW}\n1 changed\n"


def test_python_of_the_same_name_with_another_content(diff: Diff) -> None:
    ran = diff((OLD, "/bin/false", [LINUX.id]))
    assert ran.out == f"~ {LINUX.id}: Python {OLD} (same name, other file)\n1 changed\n"


def test_python_that_is_no_longer_there(diff: Diff) -> None:
    assert diff().out == f"- {LINUX.id}: Python {OLD}\n1 removed\n"


def test_python_that_is_there_for_one_more_target(diff: Diff) -> None:
    ran = diff((OLD, "/bin/sh", [LINUX.id, WINDOWS.id]))
    assert ran.out == f"+ {WINDOWS.id}: Python {OLD}\n1 added\n"


def test_nothing_changes(diff: Diff) -> None:
    assert diff((OLD, "/bin/sh", [LINUX.id])).out == "the same wheels and Pythons\n"


def test_nothing_changes_where_there_are_no_pythons(main: Main, bundle: Bundle) -> None:
    path = bundle("old", [make_wheel("stays")])
    assert main("diff", path, path).out == "the same wheels\n"


def test_json_tells_pythons_from_packages(main: Main, bundle: Bundle) -> None:
    old = bundle("old", [make_wheel("python")], [(OLD, "/bin/sh", [LINUX.id])])
    new = bundle("new", [make_wheel("python", "2.0")], [(NEW, "/bin/sh", [WINDOWS.id])])
    packages, pythons = (
        [change for change in main("diff", "--json", old, new).data if change["kind"] == kind]
        for kind in ("package", "python")
    )
    assert packages == [
        {"target": t.id, "kind": "package", "name": "python", "old": "1.0", "new": "2.0"}
        for t in (LINUX, WINDOWS)
    ]
    assert pythons == [
        {"target": LINUX.id, "kind": "python", "name": "Python", "old": OLD, "new": None},
        {"target": WINDOWS.id, "kind": "python", "name": "Python", "old": None, "new": NEW},
    ]


def test_json_of_nothing(diff: Diff) -> None:
    assert diff((OLD, "/bin/sh", [LINUX.id]), options=["--json"]).data == []
