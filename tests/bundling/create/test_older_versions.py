from __future__ import annotations

from pathlib import Path

import pytest

from support.making.locks import edge, package, project, uv_lock
from support.making.wheels import make_wheel
from support.running.command import bundle
from support.running.index import LocalIndex

OLD = "manylinux_2_17_x86_64"
NEW = "manylinux_2_28_x86_64"


def lock(folder: Path, index: LocalIndex, *, platform: str = NEW) -> None:
    text = uv_lock(
        project("demo", edge("native")),
        package(
            "native",
            "2.3.0",
            source=f'registry = "{index.simple_url}"',
            wheels=[f"cp312-cp312-{platform}"],
        ),
    )
    (folder / "uv.lock").write_bytes(text)


def create(folder: Path) -> tuple[dict[str, object], str]:
    """Return the one problem of a dry run for an old system, and what is printed of it."""
    arguments = ("create", "--platform", "manylinux2014_x86_64", "--python", "3.12", "--dry-run")
    ran = bundle(*arguments, "--json", cwd=folder)
    assert ran.code == 5
    [problem] = ran.data["problems"]
    return problem, " ".join(ran.err.split())


def test_names_newest_version_with_wheel_for_an_old_system(
    tmp_path: Path, index: LocalIndex
) -> None:
    index.add(
        make_wheel("native", "2.1.0", tag=f"cp312-cp312-{OLD}", pure=False),
        make_wheel("native", "2.2.6", tag=f"cp312-cp312-{OLD}", pure=False),
        make_wheel("native", "2.3.0rc1", tag=f"cp312-cp312-{OLD}", pure=False),
        make_wheel("native", "2.3.0", tag=f"cp312-cp312-{NEW}", pure=False),
        make_wheel("native", "2.4.0", tag=f"cp312-cp312-{OLD}", pure=False),
    )
    lock(tmp_path, index)
    problem, said = create(tmp_path)
    assert "else lock an older version (native<2.3), pass --find-links" in said
    assert (problem["kind"], problem["name"], problem["version"]) == ("no-wheel", "native", "2.3.0")
    assert "native<2.3" in str(problem["hint"])


def test_says_nothing_of_versions_where_none_has_a_wheel(tmp_path: Path, index: LocalIndex) -> None:
    index.add(make_wheel("native", "2.2.6", tag=f"cp312-cp312-{NEW}", pure=False))
    lock(tmp_path, index)
    assert "else lock another version of native" in create(tmp_path)[1]


def test_does_without_an_index_that_does_not_answer(tmp_path: Path, index: LocalIndex) -> None:
    index.add(make_wheel("native", "2.2.6", tag=f"cp312-cp312-{OLD}", pure=False))
    index.login = ("alice", "secret")
    lock(tmp_path, index)
    assert "else lock another version of native" in create(tmp_path)[1]


def test_asks_no_index_where_a_newer_system_is_not_the_way(
    tmp_path: Path, index: LocalIndex
) -> None:
    lock(tmp_path, index, platform="win_amd64")
    create(tmp_path)
    assert index.requests == []


@pytest.mark.parametrize("mirrored", [True, False])
def test_asks_the_mirror_alone_where_there_is_one(
    tmp_path: Path, index: LocalIndex, mirrored: bool
) -> None:
    index.add(make_wheel("native", "2.2.6", tag=f"cp312-cp312-{OLD}", pure=False))
    lock(tmp_path, index)
    text = (tmp_path / "uv.lock").read_text()
    (tmp_path / "uv.lock").write_text(text.replace(index.simple_url, "http://127.0.0.1:9/simple"))
    options = ("--index-url", index.simple_url) if mirrored else ()
    arguments = ("create", "--platform", "manylinux2014_x86_64", "--python", "3.12", "--dry-run")
    ran = bundle(*arguments, *options, cwd=tmp_path)
    assert ("native<2.3" in ran.err) is mirrored
