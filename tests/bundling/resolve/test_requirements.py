"""Requirements, resolved by the real uv from a local index."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from support.making.sources import make_repository, make_sdist, make_source
from support.making.unlocked import (
    DEMO,
    LINUX,
    PYTHON,
    WINDOWS,
    chosen,
    only,
    read,
    roots,
    target_of,
    write,
)
from support.making.wheels import make_wheel
from support.running.index import LocalIndex
from wheelferry_bundler.build.prebuilt import Prebuilt
from wheelferry_bundler.fetch.wheel_folders import list_folders
from wheelferry_bundler.model.locations import Locations
from wheelferry_bundler.model.options import BuildOptions
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.inputs import find_source
from wheelferry_bundler.resolve.requirements import read_requirements, read_requirements_for_all
from wheelferry_bundler.select.selection import select
from wheelferry_schemas.errors import (
    BuildError,
    MalformedError,
    TransferError,
    UnfitError,
    UsageError,
)
from wheelferry_schemas.target import Target

pytestmark = pytest.mark.usefixtures("uv_with_the_local_index")


def test_resolves_dependencies_for_the_target(tmp_path: Path) -> None:
    path = write(tmp_path, "demo\n")
    assert chosen(read(path)) == ["demo 1.0", "helper 2.0"]


def test_evaluates_markers_for_the_target(tmp_path: Path) -> None:
    path = write(tmp_path, "demo\n")
    assert chosen(read(path, WINDOWS), WINDOWS) == ["colorama 1.0", "demo 1.0", "helper 2.0"]


def test_obeys_markers_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "helper ; sys_platform == 'win32'\ncolorama ; os_name == 'posix'\n")
    assert chosen(read(path)) == ["colorama 1.0"]


def test_obeys_constraints(tmp_path: Path) -> None:
    write(tmp_path, "helper<2\nunused<1\n", "limits.txt")
    assert chosen(read(write(tmp_path, "demo\n-c limits.txt\n"))) == ["demo 1.0", "helper 1.0"]


def test_resolves_several_targets_side_by_side(tmp_path: Path) -> None:
    path = write(tmp_path, "demo\n")
    locked = read_requirements_for_all(find_source(path), [LINUX, WINDOWS], Wanted())
    assert {target: len(locked[target].packages) for target in locked} == {
        LINUX.id: 2,
        WINDOWS.id: 3,
    }


PINS = "demo==1.0\nhelper==1.0\ncolorama==1.0 ; sys_platform == 'win32'\n"


def read_for_all(path: Path, *targets: Target) -> dict[str, list[str]]:
    locked = read_requirements_for_all(find_source(path), targets, Wanted())
    return {target.id: chosen(locked[target.id], target) for target in targets}


def test_asks_once_for_all_targets_where_everything_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> bytes:
        raise AssertionError("asked for a single target")

    monkeypatch.setattr("wheelferry_bundler.resolve.requirements.resolve", forbidden)
    assert read_for_all(write(tmp_path, PINS), LINUX, WINDOWS) == {
        LINUX.id: ["demo 1.0", "helper 1.0"],
        WINDOWS.id: ["colorama 1.0", "demo 1.0", "helper 1.0"],
    }


def test_asks_for_each_target_where_pins_leave_something_open(tmp_path: Path) -> None:
    path = write(tmp_path, "demo==1.0\n")
    apart = {target.id: chosen(read(path, target), target) for target in (LINUX, WINDOWS)}
    assert read_for_all(path, LINUX, WINDOWS) == apart


def test_asks_for_each_target_where_a_pin_cannot_be_had_for_all(tmp_path: Path) -> None:
    text = "absent==1.0 ; sys_platform == 'darwin'\nhelper==1.0\n"
    assert read_for_all(write(tmp_path, text), LINUX) == {LINUX.id: ["helper 1.0"]}


def test_pins_of_several_versions_follow_their_markers(tmp_path: Path) -> None:
    text = "helper==1.0 ; os_name == 'nt'\nhelper==2.0 ; os_name != 'nt'\n"
    assert read_for_all(write(tmp_path, text), LINUX, WINDOWS) == {
        LINUX.id: ["helper 2.0"],
        WINDOWS.id: ["helper 1.0"],
    }


def test_a_pin_that_hangs_on_the_patch_release_is_a_problem_of_the_target(tmp_path: Path) -> None:
    path = write(tmp_path, "early==1.0rc1 ; python_full_version >= '3.12.4'\n")
    target = target_of("manylinux_2_28_x86_64", "3.12")
    locked = read_requirements_for_all(find_source(path), [target], Wanted())[target.id]
    (problem,) = select(locked, target).problems
    assert "--python 3.12.3 (Ubuntu 24.04)" in str(problem.hint)


def test_a_pin_is_for_every_patch_release_of_the_stated_python(tmp_path: Path) -> None:
    path = write(tmp_path, "early==1.0rc1\n")
    target = target_of("manylinux_2_28_x86_64", f"{PYTHON}.4")
    locked = read_requirements_for_all(find_source(path), [target], Wanted())[target.id]
    assert select(locked, target).target.requires_python == f"=={PYTHON}.*"


def test_tells_once_what_a_build_says_that_fails_for_every_target(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/setup.py").write_text("raise SystemExit('no way')\n", encoding="ascii")
    (tmp_path / "bad/pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'setup'\nbackend-path = ['.']\n", "ascii"
    )
    path = write(tmp_path, "./bad\n")
    with pytest.raises(BuildError, match="2 of 2 targets") as caught:
        read_requirements_for_all(find_source(path), [LINUX, WINDOWS], Wanted())
    assert "\n".join(caught.value.details).count("no way") == 1
    assert (
        sum(target.id in line for target in (LINUX, WINDOWS) for line in caught.value.details) == 2
    )


def test_names_all_targets_that_cannot_be_resolved(tmp_path: Path, index: LocalIndex) -> None:
    index.add(make_wheel("only", tag="cp37-cp37m-win32"))
    path = write(tmp_path, "only\n")
    with pytest.raises(UnfitError, match="2 of 2 targets could not be resolved") as caught:
        read_requirements_for_all(find_source(path), [LINUX, WINDOWS], Wanted())
    assert LINUX.id in str(caught.value)
    assert WINDOWS.id in str(caught.value)


def test_asks_for_the_patch_release_where_the_answer_depends_on_it(tmp_path: Path) -> None:
    path = write(tmp_path, "demo\nearly==1.0rc1 ; python_full_version >= '3.12.4'\n")
    with pytest.raises(UnfitError, match="needs early depends on the patch release") as caught:
        read(path, target_of("manylinux_2_28_x86_64", "3.12"))
    assert "--python 3.12.3 (Ubuntu 24.04)" in str(caught.value.hint)


def test_is_for_the_patch_releases_with_the_answer_of_the_newest(tmp_path: Path) -> None:
    path = write(tmp_path, "demo\nearly==1.0rc1 ; python_full_version < '3.12.1'\n")
    target = target_of("manylinux_2_28_x86_64", "3.12")
    selection = select(read(path, target), target)
    assert selection.target.requires_python == "==3.12.*,>=3.12.1"
    assert selection.notes == ("for Python 3.12.1 and later: 3.12.0 alone would need early",)


def test_resolves_for_any_patch_release_where_none_is_stated(tmp_path: Path) -> None:
    target = target_of("manylinux_2_28_x86_64", PYTHON)
    assert chosen(read(write(tmp_path, "demo\n"), target), target) == ["demo 1.0", "helper 2.0"]


@pytest.mark.parametrize(
    ("patch", "more", "python"),
    [("3", [], "<{0}.4,=={0}.*"), ("4", ["early 1.0rc1"], "=={0}.*,>={0}.4")],
)
def test_resolves_for_the_patch_release_that_is_stated(
    tmp_path: Path, patch: str, more: list[str], python: str
) -> None:
    path = write(tmp_path, f"demo\nearly==1.0rc1 ; python_full_version >= '{PYTHON}.4'\n")
    target = target_of("manylinux_2_28_x86_64", f"{PYTHON}.{patch}")
    locked = read(path, target)
    assert chosen(locked, target) == ["demo 1.0", *more, "helper 2.0"]
    assert select(locked, target).target.requires_python == python.format(PYTHON)


def test_takes_a_file_that_pins_everything_as_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, f"demo==1.0 --hash=sha256:{DEMO.sha256}\n")
    assert chosen(read(path)) == ["demo 1.0"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo\n", ("demo",)),
        ("demo\nhelper\n", ("demo", "helper")),
        ("Demo[more]>=1\ncolorama ; os_name == 'nt'\n", ("demo",)),
        ("demo==1.0\nhelper==1.0\ncolorama==1.0 ; os_name == 'nt'\n", ("demo", "helper")),
        (f"demo==1.0 --hash=sha256:{DEMO.sha256}\n", ("demo",)),
        ("-r more.txt\n-c limits.txt\n", ("helper",)),
    ],
)
def test_roots_are_what_the_file_asks_for(
    tmp_path: Path, text: str, expected: tuple[str, ...]
) -> None:
    write(tmp_path, "helper\n", "more.txt")
    write(tmp_path, "demo\n", "limits.txt")
    path = write(tmp_path, text)
    assert (
        roots(read_requirements_for_all(find_source(path), [LINUX], Wanted())[LINUX.id]) == expected
    )


@pytest.mark.parametrize("line", ["./lib", "-e ./lib", "demo-lib @ ./lib"])
def test_roots_are_local_projects_that_the_file_asks_for(tmp_path: Path, line: str) -> None:
    make_source(tmp_path / "lib", make_wheel("demo-lib"), project="dependencies = ['helper']\n")
    assert roots(read(write(tmp_path, f"{line}\n"))) == ("demo-lib",)


def test_takes_prereleases_where_the_file_asks_for_them(tmp_path: Path, index: LocalIndex) -> None:
    index.add(make_wheel("early", "0.9"))
    assert chosen(read(write(tmp_path, "--pre\nearly\n"))) == ["early 1.0rc1"]


def test_accepts_files_with_a_listed_hash_only(tmp_path: Path, index: LocalIndex) -> None:
    linux = make_wheel("native", tag="py3-none-manylinux_2_17_x86_64")
    index.add(linux, make_wheel("native"))
    path = write(tmp_path, f"demo\nnative --hash=sha256:{linux.sha256}\n")
    wheels = only(read(path), "native").wheels
    assert [wheel.sha256 for wheel in wheels] == [linux.sha256]


@pytest.mark.parametrize(
    "line",
    [
        "demo==1.0 --hash=sha256:{wrong}",
        "demo @ {url} --hash=sha256:{wrong}",
        "{url} --hash=sha256:{wrong}",
    ],
)
def test_refuses_files_whose_hash_is_not_listed(
    tmp_path: Path, index: LocalIndex, line: str
) -> None:
    text = line.format(url=index.file_url(DEMO.file_name), wrong="0" * 64)
    with pytest.raises(MalformedError, match=r"none of the hashes that .* lists for demo"):
        read(write(tmp_path, text))


@pytest.mark.parametrize("line", ["demo @ {url}#sha256={wrong}", "{url}#sha256={wrong}"])
def test_holds_direct_urls_to_the_hash_in_them(
    tmp_path: Path, index: LocalIndex, line: str
) -> None:
    text = line.format(url=index.file_url(DEMO.file_name), wrong="0" * 64)
    wheels = only(read(write(tmp_path, text)), "demo").wheels
    assert [wheel.sha256 for wheel in wheels] == ["0" * 64]


def test_takes_direct_urls(tmp_path: Path, index: LocalIndex) -> None:
    url = index.file_url(DEMO.file_name)
    package = only(read(write(tmp_path, f"demo @ {url}\n")), "demo")
    assert (package.source.kind, package.source.location) == ("url", url)
    assert [(wheel.url, wheel.sha256) for wheel in package.wheels] == [(url, DEMO.sha256)]


def test_shows_no_login_of_a_direct_url(tmp_path: Path, index: LocalIndex) -> None:
    index.login = ("me", "s3cret")
    index_url = index.simple_url.replace("://", "://me:s3cret@")
    url = index.file_url(DEMO.file_name).replace("://", "://me:s3cret@")
    locked = read(write(tmp_path, f"--index-url {index_url}\ndemo @ {url}\n"))
    locations = [package.source.location for package in locked.packages.values()]
    assert not any("s3cret" in location for location in locations)


def test_takes_commits_of_git_repositories(tmp_path: Path) -> None:
    folder = make_source(tmp_path / "repository", make_wheel("gitty"))
    commit = make_repository(folder)
    url = folder.as_uri()
    source = only(read(write(tmp_path / "own", f"gitty @ git+{url}\n")), "gitty").source
    assert (source.kind, source.url, source.commit) == ("git", url, commit)


def test_takes_editable_commits(tmp_path: Path) -> None:
    folder = make_source(tmp_path / "repository" / "libs", make_wheel("gitty"))
    commit = make_repository(tmp_path / "repository")
    url = (tmp_path / "repository").as_uri()
    line = f"-e git+{url}@{commit}#egg=gitty&subdirectory={folder.name}\n"
    source = only(read(write(tmp_path / "own", line)), "gitty").source
    assert (source.commit, source.subdirectory) == (commit, "libs")


@pytest.mark.parametrize("line", ["./lib", "-e ./lib", "lib/", "file:./lib", "demo-lib @ ./lib"])
def test_takes_local_projects(tmp_path: Path, line: str) -> None:
    make_source(tmp_path / "lib", make_wheel("demo-lib"), project="dependencies = ['helper']\n")
    locked = read(write(tmp_path, line))
    assert chosen(locked) == ["demo-lib ?", "helper 2.0"]
    source = only(locked, "demo-lib").source
    assert (source.kind, source.location, source.path) == ("directory", "lib", tmp_path / "lib")


def test_local_paths_start_at_the_folder_that_is_given(tmp_path: Path) -> None:
    make_source(tmp_path / "lib", make_wheel("demo-lib"))
    path = write(tmp_path / "requirements", "./lib\n")
    locked = read_requirements(
        dataclasses.replace(find_source(path), folder=tmp_path), LINUX, Wanted()
    )
    assert only(locked, "demo-lib").source.path == tmp_path / "lib"


def test_takes_local_wheels(tmp_path: Path) -> None:
    wheel = make_wheel("vendored")
    wheel.write(tmp_path / "wheels")
    package = only(read(write(tmp_path, f"./wheels/{wheel.file_name}\n")), "vendored")
    assert [(w.path, w.sha256) for w in package.wheels] == [
        (tmp_path / "wheels" / wheel.file_name, wheel.sha256)
    ]
    assert package.source.location == f"wheels/{wheel.file_name}"


def test_takes_wheels_of_the_folder_that_the_file_names(tmp_path: Path) -> None:
    make_wheel("vendored").write(tmp_path / "wheels")
    assert chosen(read(write(tmp_path, "--find-links wheels\nvendored\n"))) == ["vendored 1.0"]


def test_takes_wheels_of_the_folder_of_the_command_line(tmp_path: Path) -> None:
    make_wheel("vendored").write(tmp_path / "wheels")
    options = BuildOptions(locations=Locations(folders=list_folders((tmp_path / "wheels",))))
    assert chosen(read(write(tmp_path, "vendored\n"), options=options)) == ["vendored 1.0"]


@pytest.mark.parametrize("make", ["a wheel", "a source archive"])
def test_takes_files_of_a_named_folder_that_lies_outside_of_the_project(
    tmp_path: Path, make: str
) -> None:
    folder, project = tmp_path / "links", tmp_path / "project"
    if make == "a wheel":
        make_wheel("vendored").write(folder)
    else:
        folder.mkdir()
        (folder / "vendored-1.0.tar.gz").write_bytes(make_sdist("vendored"))
    project.mkdir()
    path = write(project, "vendored==1.0\n")
    locations = Locations(folders=list_folders((folder,)))
    locked = read(path, wanted=Wanted(), options=BuildOptions(locations=locations))
    selection = select(Prebuilt.of(locations).complete(locked, LINUX), LINUX)
    assert selection.problems == ()
    (only_one,) = selection.chosen
    assert only_one.package.source.location.startswith("links/vendored-1.0")


def test_refuses_files_of_a_folder_outside_of_the_project_that_only_the_file_names(
    tmp_path: Path,
) -> None:
    make_wheel("vendored").write(tmp_path / "links")
    (tmp_path / "project").mkdir()
    path = write(tmp_path / "project", "--find-links ../links\nvendored==1.0\n")
    (problem,) = select(read(path, wanted=Wanted()), LINUX).problems
    assert "lies outside the project" in problem.message


def test_takes_everything_of_the_mirror(
    tmp_path: Path, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    index.login = ("me", "s3cret")
    mirror = index.simple_url.replace("://", "://me:s3cret@")
    options = BuildOptions(locations=Locations(mirrors=(mirror,)))
    assert chosen(read(write(tmp_path, "demo\n"), options=options)) == ["demo 1.0", "helper 2.0"]


def test_takes_wheel_of_a_folder_where_the_index_has_a_name_that_is_of_no_use(
    tmp_path: Path, index: LocalIndex
) -> None:
    wheel = make_wheel("old", "19.2.0")
    wheel.write(tmp_path / "wheels")
    index.add_file("old-19.2.0.tar.bz2", make_sdist("old", "19.2.0"))
    options = BuildOptions(locations=Locations(folders=list_folders((tmp_path / "wheels",))))
    path = write(tmp_path, f"old==19.2.0 --hash=sha256:{wheel.sha256}\n")
    assert chosen(read(path, options=options)) == ["old 19.2.0"]


def test_takes_source_archives(tmp_path: Path, index: LocalIndex) -> None:
    index.add_file("old-1.0.tar.gz", make_sdist("old"))
    package = only(read(write(tmp_path, "old\n")), "old")
    assert package.wheels == ()
    assert package.sdist is not None
    assert package.sdist.sha256 == index.hashes["old-1.0.tar.gz"]


@pytest.mark.parametrize(
    "options",
    [BuildOptions(no_build=True), BuildOptions(no_build_packages=frozenset({"old"}))],
)
def test_takes_no_source_archives_where_nothing_is_to_be_built(
    tmp_path: Path, index: LocalIndex, options: BuildOptions
) -> None:
    index.add_file("old-1.0.tar.gz", make_sdist("old"))
    with pytest.raises(UnfitError, match="could not resolve"):
        read(write(tmp_path, "old\n"), options=options)


def test_says_what_uv_says_where_nothing_satisfies(tmp_path: Path) -> None:
    path = write(tmp_path, "demo\nhelper>3\n")
    with pytest.raises(UnfitError) as caught:
        read(path)
    assert caught.value.message == f"uv could not resolve requirements.txt for {LINUX.id}"
    assert "helper" in "\n".join(caught.value.details)


def test_says_that_the_index_cannot_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:s3cret@127.0.0.1:9/simple")
    with pytest.raises(TransferError, match="could not resolve") as caught:
        read(write(tmp_path, "demo\n"))
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


def test_says_that_the_index_asks_for_a_login(tmp_path: Path, index: LocalIndex) -> None:
    index.login = ("me", "s3cret")
    with pytest.raises(TransferError) as caught:
        read(write(tmp_path, "demo\n"))
    assert "UV_INDEX_<NAME>_USERNAME" in str(caught.value.hint)


def test_says_that_a_source_cannot_be_built(tmp_path: Path) -> None:
    make_source(tmp_path / "lib", make_wheel("lib"), backend="raise SystemExit('out of order')")
    pyproject = tmp_path / "lib" / "pyproject.toml"
    dynamic = pyproject.read_text(encoding="utf-8").replace(
        "version = '1.0'", "dynamic = ['version', 'dependencies']"
    )
    pyproject.write_text(dynamic, encoding="utf-8")
    with pytest.raises(BuildError) as caught:
        read(write(tmp_path, "./lib\n"))
    assert "out of order" in str(caught.value)


def test_says_that_a_path_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="could not resolve"):
        read(write(tmp_path, "./none\n"))


@pytest.mark.parametrize(
    "wanted", [Wanted(extras=("x",)), Wanted(only_groups=("x",)), Wanted(packages=("x",))]
)
def test_requirements_have_no_extras_groups_or_packages(tmp_path: Path, wanted: Wanted) -> None:
    with pytest.raises(UsageError, match=r"requirements\.txt has no extras, groups or packages"):
        read(write(tmp_path, "demo\n"), wanted=wanted)


def test_leaves_out_packages_that_are_not_wanted(tmp_path: Path) -> None:
    locked = read(write(tmp_path, "demo\n"), wanted=Wanted(no_install_packages=("helper",)))
    assert chosen(locked) == ["demo 1.0"]
