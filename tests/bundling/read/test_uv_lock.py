from __future__ import annotations

from pathlib import Path

import pytest

from support.making.locks import NOWHERE, edge, names, package, project, read, target, uv_lock
from wheelferry_bundler.model.locked import Artifact, LockedPackage, LockedSet
from wheelferry_bundler.select.selection import select
from wheelferry_schemas.errors import MalformedError

SHA256 = "ab" * 32


def only(locked: LockedSet, name: str) -> LockedPackage:
    [package] = [package for package in locked.packages.values() if package.name == name]
    return package


def with_source(source: str, more: str = "") -> LockedPackage:
    """Return the package `leaf` of a lock in which it comes from there."""
    return only(read(uv_lock(package("leaf", source=source, wheels=(), more=more))), "leaf")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"version = ", "uv.lock is not TOML"),
        (b"\xff\xfe", "uv.lock is not TOML"),
        (b"", "uv.lock does not state its version: it is not one of uv's locks"),
        (b"[metadata]\nlock-version = '2.1'", "it is not one of uv's locks"),
        (b"version = true", "it is not one of uv's locks"),
        (b"version = '1'", "it is not one of uv's locks"),
        (
            b"version = 1\n[[distribution]]\nname = 'a'",
            "that predates its first stable lock format",
        ),
        (b"version = 2", "uv.lock has version 2, this wheelferry reads version 1"),
        (b"version = 0", "uv.lock has version 0, this wheelferry reads version 1"),
        (b"version = 1\npackage = 3", "uv.lock: package is not a list"),
        (b"version = 1\n[[package]]", "uv.lock: package[0]: name is missing"),
        (b"version = 1\nrequires-python = 'three'", "requires-python 'three' is not a specifier"),
        (b"version = 1\nconflicts = 1", "conflicts is not a list of lists"),
        (b"version = 1\nconflicts = [[1]]", "conflicts[0]: items is not a list of tables"),
        (b"version = 1\nconflicts = [[{}]]", "package is missing"),
    ],
)
def test_refuses_what_is_not_a_lock_that_it_knows(data: bytes, message: str) -> None:
    with pytest.raises(MalformedError) as error:
        read(data)
    assert message in error.value.message
    assert error.value.exit_code == 4


def test_says_how_to_renew_old_lock() -> None:
    with pytest.raises(MalformedError) as error:
        read(b"version = 1\n[[distribution]]\nname = 'a'")
    assert error.value.hint == "lock the project again with a current uv: uv lock"


@pytest.mark.parametrize("revision", [0, 1, 2, 3, 4, 5, 99])
def test_reads_any_revision(revision: int) -> None:
    lock = uv_lock(project("demo", edge("leaf")), package("leaf"), revision=revision)
    assert names(select(read(lock), target())) == {"demo", "leaf"}


def test_tolerates_unknown_keys() -> None:
    lock = uv_lock(
        project("demo", edge("leaf", colour="blue")),
        package("leaf", more="future = { answer = 42 }"),
        head="novelty = [1]\n[options]\nunheard-of = true\n",
    )
    assert names(select(read(lock), target())) == {"demo", "leaf"}


def test_finds_package_of_edge_without_version() -> None:
    locked = read(uv_lock(project("demo", edge("leaf")), package("leaf", "2.0")))
    assert [str(e.key) for e in only(locked, "demo").dependencies] == ["leaf 2.0"]


def test_tells_packages_of_one_version_apart_by_source() -> None:
    other = 'registry = "https://other.example/simple"'
    needs = f"{{ name = 'leaf', version = '1.0', source = {{ {other} }} }}"
    lock = uv_lock(
        project("demo", needs), package("leaf"), package("leaf", source=other, wheels=["cp1-a-b"])
    )
    [dependency] = only(read(lock), "demo").dependencies
    assert "other.example" in dependency.key.source


@pytest.mark.parametrize("needs", [edge("gone"), edge("leaf", version="9.9")])
def test_refuses_edge_to_nothing(needs: str) -> None:
    with pytest.raises(MalformedError, match="no package of the lock is"):
        read(uv_lock(project("demo", needs), package("leaf")))


def test_refuses_edge_to_one_of_several() -> None:
    lock = uv_lock(project("demo", edge("leaf")), package("leaf", "1.0"), package("leaf", "2.0"))
    with pytest.raises(MalformedError, match="more than one package of the lock is leaf"):
        read(lock)


def test_refuses_package_that_is_listed_twice() -> None:
    with pytest.raises(MalformedError, match=r"package leaf: leaf 1\.0 is listed twice"):
        read(uv_lock(package("leaf"), package("leaf")))


def test_normalizes_names() -> None:
    lock = uv_lock(
        project("Demo.App", edge("Leaf_One", extra=["more.OF"])),
        package("leaf-one", extras={"More_of": [edge("tip")]}),
        package("tip"),
    )
    assert names(select(read(lock), target())) == {"demo-app", "leaf-one", "tip"}


def test_reads_groups_by_either_name() -> None:
    lock = uv_lock(project()) + b"[package.dependency-groups]\ndev = []\n"
    assert list(only(read(lock), "demo").groups) == ["dev"]


@pytest.mark.parametrize(
    ("source", "kind", "location"),
    [
        ('registry = "https://user:secret@index.example/simple"', "registry", "index.example"),
        ('registry = "wheels"', "registry", "wheels"),
        ('git = "https://token@git.example/leaf?rev=main#0123"', "git", "git.example/leaf"),
        ('url = "https://files.example/leaf.whl?token=secret"', "url", "files.example/leaf.whl"),
        ('path = "leaf.whl"', "path", "leaf.whl"),
        ('directory = "leaf"', "directory", "leaf"),
        ('editable = "leaf"', "directory", "leaf"),
        ('virtual = "leaf"', "virtual", "leaf"),
    ],
)
def test_reads_every_kind_of_source(source: str, kind: str, location: str) -> None:
    read_source = with_source(source).source
    assert (read_source.kind, read_source.location.removeprefix("https://")) == (
        kind,
        location + ("/simple" if location == "index.example" else ""),
    )


def test_reads_commit_and_subdirectory_of_git_source() -> None:
    source = with_source('git = "ssh://git@git.example/leaf?subdirectory=a%2Fb&rev=v1#0123"').source
    assert (source.url, source.commit, source.subdirectory) == (
        "ssh://git@git.example/leaf",
        "0123",
        "a/b",
    )


def test_reads_subdirectory_of_archive() -> None:
    source = with_source('url = "https://files.example/leaf.zip", subdirectory = "a"').source
    assert source.subdirectory == "a"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('hg = "https://hg.example/leaf"', r"unknown kind of source \['hg'\]"),
        ('git = "https://git.example/leaf"', "states no commit"),
        ("registry = 3", "registry is not a string"),
    ],
)
def test_refuses_source_that_it_does_not_know(source: str, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        with_source(source)


@pytest.mark.parametrize(
    ("path", "leaves"),
    [
        ("leaf", False),
        ("a/../leaf", False),
        ("..leaf", False),
        ("..", True),
        ("../leaf", True),
        ("a/../../leaf", True),
        ("/elsewhere/leaf", True),
        (str(NOWHERE / "leaf"), False),
    ],
)
def test_notices_path_that_leaves_the_project(path: str, leaves: bool) -> None:
    assert with_source(f'directory = "{path}"').source.leaves_project == leaves


@pytest.mark.parametrize(
    ("url", "leaves"),
    [
        (f"file://{NOWHERE}/a.whl", False),
        (f"file://{NOWHERE}/../a.whl", True),
        ("file:///elsewhere/a.whl", True),
        ("FILE:///elsewhere/a.whl", True),
        ("https://files.example/../a.whl", False),
    ],
)
def test_notices_file_url_that_leaves_the_project(url: str, leaves: bool) -> None:
    leaf = with_source('registry = "https://index.example"', f"wheels = [{{ url = '{url}' }}]")
    assert leaf.source.leaves_project == leaves


def test_reads_file_url_as_path() -> None:
    url = f"{NOWHERE.as_uri()}/with%20space/leaf-1.0-py3-none-any.whl"
    [wheel] = with_source(
        'registry = "https://index.example"', f"wheels = [{{ url = '{url}' }}]"
    ).wheels
    assert (wheel.url, wheel.path) == (None, NOWHERE / "with space" / "leaf-1.0-py3-none-any.whl")


def test_reads_file_of_index() -> None:
    wheels = (
        'wheels = [{ url = "https://files.example/leaf-1.0%2Bcpu-py3-none-any.whl", '
        f'hash = "sha256:{SHA256}", size = 7, upload-time = "2026-01-01T00:00:00Z" }}]'
    )
    assert with_source('registry = "https://index.example"', wheels).wheels == (
        Artifact(
            file_name="leaf-1.0+cpu-py3-none-any.whl",
            url="https://files.example/leaf-1.0%2Bcpu-py3-none-any.whl",
            sha256=SHA256,
            size=7,
        ),
    )


def test_reads_file_of_url_source_with_its_query() -> None:
    source = 'url = "https://files.example/leaf-1.0-py3-none-any.whl?key=1"'
    [wheel] = with_source(source, "wheels = [{ filename = 'leaf-1.0-py3-none-any.whl' }]").wheels
    assert wheel.url == "https://files.example/leaf-1.0-py3-none-any.whl?key=1"


def test_reads_wheel_of_path_source() -> None:
    source = 'path = "vendor/leaf-1.0-py3-none-any.whl"'
    [wheel] = with_source(source, "wheels = [{ filename = 'leaf-1.0-py3-none-any.whl' }]").wheels
    assert wheel.path == NOWHERE / "vendor/leaf-1.0-py3-none-any.whl"


def test_reads_archive_of_path_source() -> None:
    sdist = with_source('path = "leaf.tar.gz"', f"sdist = {{ hash = 'sha256:{SHA256}' }}").sdist
    assert sdist == Artifact(file_name="leaf.tar.gz", path=NOWHERE / "leaf.tar.gz", sha256=SHA256)


def test_reads_wheel_in_folder_of_wheels() -> None:
    wheels = "wheels = [{ path = 'leaf-1.0-py3-none-any.whl' }]"
    [wheel] = with_source('registry = "wheels"', wheels).wheels
    assert wheel.path == NOWHERE / "wheels/leaf-1.0-py3-none-any.whl"


def test_refuses_wheel_outside_its_folder_of_wheels() -> None:
    with pytest.raises(MalformedError, match="leads out of its index"):
        with_source('registry = "wheels"', "wheels = [{ path = '../leaf-1.0-py3-none-any.whl' }]")


@pytest.mark.parametrize("wheel", ["{}", "{ hash = 'sha256:00' }", "{ url = 'https://a.example' }"])
def test_refuses_file_without_name(wheel: str) -> None:
    with pytest.raises(MalformedError, match="it names no file"):
        with_source('registry = "https://index.example"', f"wheels = [{wheel}]")


@pytest.mark.parametrize("digest", ["sha256:", "sha256:00", "sha256:" + "G" * 64])
def test_refuses_hash_that_is_none(digest: str) -> None:
    wheel = f"{{ url = 'https://files.example/a.whl', hash = '{digest}' }}"
    with pytest.raises(MalformedError, match="is not a hash"):
        with_source('registry = "https://index.example"', f"wheels = [{wheel}]")


def test_knows_no_hash_but_sha256() -> None:
    wheel = "{ url = 'https://files.example/a.whl', hash = 'sha512:00' }"
    [artifact] = with_source('registry = "https://index.example"', f"wheels = [{wheel}]").wheels
    assert artifact.sha256 is None


def test_reads_project_without_version() -> None:
    locked = read(uv_lock(project("demo", version=None)))
    assert locked.version is None
    assert [str(key) for key in locked.packages] == ["demo"]


def test_is_named_after_the_project_that_is_taken() -> None:
    lock = uv_lock(
        project("demo"),
        project("member", folder="member", version="3.0"),
        head="[manifest]\nmembers = ['demo', 'member']\n",
    )
    assert [(read(lock).name, read(lock).version), read(lock, packages=("member",)).name] == [
        ("demo", "1.0"),
        "member",
    ]


def test_is_named_after_the_folder_where_there_is_no_project(tmp_path: Path) -> None:
    folder = tmp_path / "проект"
    folder.mkdir()
    lock = uv_lock(head="[manifest.dependency-groups]\ndev = []\n")
    assert read(lock, folder).name == "workspace"
    assert read(lock, folder.rename(tmp_path / "Our_Things")).name == "our-things"


def test_takes_fork_of_loose_group() -> None:
    lock = uv_lock(
        package("leaf", "1.0", more="resolution-markers = [\"sys_platform == 'win32'\"]"),
        package(
            "leaf",
            "2.0",
            more="resolution-markers = [\"sys_platform == 'linux'\", \"os_name == 'java'\"]",
        ),
        package("winthing"),
        head="[manifest.dependency-groups]\ndev = [{ name = 'leaf' }, "
        "{ name = 'winthing', marker = \"os_name == 'nt'\" }]\n",
    )
    [chosen] = select(read(lock), target()).chosen
    assert str(chosen.package.key) == "leaf 2.0"


def test_reads_requirements_of_script() -> None:
    lock = uv_lock(
        package("tree", extras={"more": [edge("leaf")]}),
        package("leaf"),
        head="[manifest]\nrequirements = [{ name = 'tree', extras = ['more'] }]\n",
    )
    assert names(select(read(lock), target())) == {"tree", "leaf"}
