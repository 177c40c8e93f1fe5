from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.making.locks import NOWHERE, names, target
from wheelferry_bundler.model.locked import Artifact, LockedPackage, LockedSet
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.pylock import read_pylock
from wheelferry_bundler.select.selection import select
from wheelferry_schemas.errors import MalformedError, UsageError

HEAD = 'lock-version = "1.0"\ncreated-by = "tests"\n'
SHA256 = "ab" * 32


def read(text: str, folder: Path = NOWHERE, **wanted: Any) -> LockedSet:
    return read_pylock(text.encode(), folder, Wanted(**wanted), name="demo")


def package(name: str, version: str = "1.0", *, marker: str = "", more: str = "") -> str:
    """Return a package with a wheel for every platform."""
    file_name = f"{name}-{version}-py3-none-any.whl"
    return (
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\n'
        + (f'marker = "{marker}"\n' if marker else "")
        + f"{more}\n[[packages.wheels]]\n"
        f'url = "https://files.example/{file_name}"\nhashes = {{ sha256 = "{SHA256}" }}\n'
    )


def bare(table: str) -> LockedPackage:
    """Return a package of which only the table of its source is written."""
    [found] = read(f'{HEAD}[[packages]]\nname = "leaf"\n{table}\n').packages.values()
    return found


def test_takes_packages_whose_marker_holds() -> None:
    lock = (
        HEAD
        + package("leaf")
        + package("winthing", marker="sys_platform == 'win32'")
        + package("lintool", marker="sys_platform == 'linux' and platform_machine != 'aarch64'")
    )
    assert names(select(read(lock), target())) == {"leaf", "lintool"}
    assert names(select(read(lock), target("win_amd64"))) == {"leaf", "winthing"}


GROUPED = (
    f"{HEAD}extras = ['pretty', 'fast']\n"
    "dependency-groups = ['dev', 'docs']\ndefault-groups = ['dev', 'hidden']\n"
    + package("base")
    + package("pretty", marker="'pretty' in extras")
    + package("fast", marker="'fast' in extras and 'dev' in dependency_groups")
    + package("dev", marker="'dev' in dependency_groups or 'docs' in dependency_groups")
    + package("docs", marker="'docs' in dependency_groups")
    + package("hidden", marker="'hidden' in dependency_groups")
)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, "base dev hidden"),
        ({"extras": ["Pretty"]}, "base dev hidden pretty"),
        ({"all_extras": True}, "base dev hidden pretty fast"),
        ({"all_extras": True, "no_extras": ["pretty"]}, "base dev hidden fast"),
        ({"all_extras": True, "no_groups": ["dev"]}, "base hidden pretty"),
        ({"groups": ["docs"]}, "base dev hidden docs"),
        ({"no_default_groups": True}, "base"),
        ({"no_default_groups": True, "groups": ["docs"]}, "base dev docs"),
        ({"all_groups": True}, "base dev hidden docs"),
        ({"all_groups": True, "no_default_groups": True}, "base dev docs"),
        ({"no_install_packages": ["base"]}, "dev hidden"),
    ],
)
def test_takes_extras_and_groups(wanted: dict[str, Any], expected: str) -> None:
    assert names(select(read(GROUPED, **wanted), target())) == set(expected.split())


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"extras": ["nicer"]}, "pylock.toml has no extra 'nicer'"),
        ({"groups": ["tests", "more"]}, "pylock.toml has no group 'more', 'tests'"),
        ({"only_groups": ["dev"]}, "pylock.toml does not record what --only-group would leave out"),
        (
            {"packages": ["a"], "only_groups": ["dev"]},
            "pylock.toml does not record what --only-group and --package would leave out",
        ),
    ],
)
def test_refuses_what_the_lock_cannot_answer(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as error:
        read(GROUPED, **wanted)
    assert error.value.message == message


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"no_install_project": True}, "leaf member file"),
        ({"no_install_workspace": True}, "leaf file"),
        ({"no_install_local": True}, "leaf"),
    ],
)
def test_leaves_out_projects(wanted: dict[str, Any], expected: str) -> None:
    lock = (
        f"{HEAD}{package('leaf')}"
        "[[packages]]\nname = 'demo'\n[packages.directory]\npath = '.'\neditable = true\n"
        "[[packages]]\nname = 'member'\n[packages.directory]\npath = 'member'\n"
        "[[packages]]\nname = 'file'\n[packages.archive]\npath = 'file-1.0-py3-none-any.whl'\n"
        f"hashes = {{ sha256 = '{SHA256}' }}\n"
    )
    assert names(select(read(lock, **wanted), target())) == set(expected.split())


def test_refuses_two_packages_of_one_name() -> None:
    lock = HEAD + package("leaf", "1.0") + package("leaf", "2.0")
    [problem] = select(read(lock), target()).problems
    assert problem.message.startswith("leaf is selected more than once")


def test_refuses_environment_that_was_not_locked_for() -> None:
    lock = f"{HEAD}environments = [\"sys_platform == 'linux'\"]\n" + package("leaf")
    assert not select(read(lock), target()).problems
    [problem] = select(read(lock), target("win_amd64")).problems
    assert problem.message.startswith("pylock.toml was not made for cp312_4-win_amd64")


def test_refuses_python_that_was_not_locked_for() -> None:
    lock = f'{HEAD}requires-python = ">=3.13"\n' + package("leaf")
    [problem] = select(read(lock), target()).problems
    assert problem.message.startswith("demo requires Python >=3.13")


def test_refuses_python_that_a_package_does_not_support() -> None:
    lock = HEAD + package("leaf", more='requires-python = ">=3.13"') + package("fine")
    [problem] = select(read(lock), target()).problems
    assert problem.message.startswith("leaf 1.0 requires Python >=3.13")


def test_narrows_target_to_pythons_that_every_package_supports() -> None:
    lock = HEAD + package("leaf", more='requires-python = ">=3.12.3"')
    assert select(read(lock), target()).target.requires_python == "==3.12.*,>=3.12.3"


def test_does_not_mind_python_of_package_that_is_not_taken() -> None:
    new = package("leaf", more='requires-python = ">=3.13"', marker="os_name == 'nt'")
    assert names(select(read(HEAD + new), target())) == set()


def test_does_not_choose_source_archive_over_wheels_for_others() -> None:
    lock = (
        f"{HEAD}[[packages]]\nname = 'leaf'\nversion = '1.0'\n"
        f"sdist = {{ url = 'https://a.example/leaf-1.0.tar.gz', hashes = {{ sha256 = '{SHA256}' }} }}"
        "\nwheels = [{ url = 'https://a.example/leaf-1.0-cp312-cp312-win_amd64.whl', "
        f"hashes = {{ sha256 = '{SHA256}' }} }}]\n"
    )
    assert select(read(lock), target()).problems


def test_reads_wheel_archive() -> None:
    package = bare(
        "archive = { url = 'https://a.example/leaf-1.0-py3-none-any.whl?key=1', "
        f"hashes = {{ sha256 = '{SHA256}' }}, size = 3 }}"
    )
    assert package.wheels == (
        Artifact(
            file_name="leaf-1.0-py3-none-any.whl",
            url="https://a.example/leaf-1.0-py3-none-any.whl?key=1",
            sha256=SHA256,
            size=3,
        ),
    )
    assert (package.source.kind, package.source.location) == (
        "url",
        "https://a.example/leaf-1.0-py3-none-any.whl",
    )


def test_reads_source_archive() -> None:
    package = bare(
        f"archive = {{ path = 'a/leaf.tar.gz', subdirectory = 'b', hashes = {{ sha256 = '{SHA256}' }} }}"
    )
    assert package.sdist == Artifact(
        file_name="leaf.tar.gz", path=NOWHERE / "a/leaf.tar.gz", sha256=SHA256
    )
    assert (package.source.kind, package.source.subdirectory) == ("path", "b")


def test_reads_git_commit() -> None:
    source = bare(
        "vcs = { type = 'git', url = 'https://me:secret@git.example/leaf', commit-id = '0123', "
        "subdirectory = 'b' }"
    ).source
    assert (source.kind, source.location, source.url, source.commit, source.subdirectory) == (
        "git",
        "https://git.example/leaf",
        "https://me:secret@git.example/leaf",
        "0123",
        "b",
    )


def test_reads_folder() -> None:
    source = bare("directory = { path = 'libs/leaf', subdirectory = 'b' }").source
    assert (source.kind, source.path, source.subdirectory) == (
        "directory",
        NOWHERE / "libs/leaf",
        "b",
    )


@pytest.mark.parametrize(
    "table",
    [
        "directory = { path = '../leaf' }",
        f"archive = {{ path = '/leaf-1.0-py3-none-any.whl', hashes = {{ sha256 = '{SHA256}' }} }}",
        (
            "wheels = [{ path = '../leaf-1.0-py3-none-any.whl', "
            f"hashes = {{ sha256 = '{SHA256}' }} }}]"
        ),
        f"sdist = {{ path = '../leaf-1.0.tar.gz', hashes = {{ sha256 = '{SHA256}' }} }}",
    ],
)
def test_notices_path_that_leaves_the_project(table: str) -> None:
    assert bare(table).source.leaves_project


def test_knows_no_hash_but_sha256() -> None:
    wheel = "{ url = 'https://a.example/leaf-1.0-py3-none-any.whl', hashes = { md5 = '00' } }"
    [artifact] = bare(f"wheels = [{wheel}]").wheels
    assert artifact.sha256 is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lock-version = ", "pylock.toml is not TOML"),
        ("", "pylock.toml is not valid: Missing required value in 'lock-version'"),
        ('lock-version = "2.0"\ncreated-by = "a"\npackages = []', "of an unsupported version"),
        (f"{HEAD}[[packages]]\nversion = '1'", "in 'packages[0].name'"),
        (f"{HEAD}[[packages]]\nname = 'a'\nmarker = 'linux'", "pylock.toml is not valid"),
        (
            (
                f"{HEAD}[[packages]]\nname = 'a'\nvcs = {{ type = 'hg', url = 'https://a.example', "
                "commit-id = '0' }"
            ),
            "pylock.toml: a comes from hg",
        ),
    ],
)
def test_refuses_what_is_not_a_lock_that_it_knows(text: str, message: str) -> None:
    with pytest.raises(MalformedError) as error:
        read(text)
    assert message in error.value.message
    assert error.value.hint


def test_passes_over_package_without_source_that_the_target_does_not_need() -> None:
    lock = HEAD + package("leaf") + "[[packages]]\nname = 'bare'\nmarker = 'os_name == \"nt\"'\n"
    assert names(select(read(lock), target())) == {"leaf"}


def test_names_package_without_source_that_the_target_needs() -> None:
    lock = HEAD + package("leaf") + "[[packages]]\nname = 'bare'\nversion = '2.0'\n"
    [problem] = select(read(lock), target()).problems
    assert problem.message.startswith("bare 2.0 has no wheel for")
    assert "names no file of it" in str(problem.hint)


def files(*names: str) -> str:
    """Return the table of a package with these wheels and source archives."""
    file = f"{{{{ url = 'https://a.example/{{}}', hashes = {{{{ sha256 = '{SHA256}' }}}} }}}}"
    wheels = ", ".join(file.format(name) for name in names if name.endswith(".whl"))
    sdists = [f"sdist = {file.format(name)}" for name in names if not name.endswith(".whl")]
    return "\n".join((*sdists, f"wheels = [{wheels}]"))


@pytest.mark.parametrize(
    "useless",
    ["leaf-1.0.tar.bz2", "leaf-1.0.exe", "leaf-1.0-one-two-py3-none-any.whl", "leaf-1.0.whl"],
)
def test_passes_over_file_under_a_name_that_is_of_no_use(useless: str) -> None:
    found = bare(files("leaf-1.0-py3-none-any.whl", useless))
    assert [wheel.file_name for wheel in found.wheels] == ["leaf-1.0-py3-none-any.whl"]
    assert found.sdist is None


def test_passes_over_the_only_file_under_a_name_that_is_of_no_use() -> None:
    found = bare(f"version = '1.0'\n{files('Leaf-1.0.tar.bz2')}")
    assert (found.wheels, found.sdist, found.source.kind) == ((), None, "registry")


def test_refuses_wheel_under_the_name_of_another_package() -> None:
    with pytest.raises(MalformedError, match="in 'leaf\\.wheels\\[0\\]'"):
        bare(files("other-1.0-py3-none-any.whl"))


def test_names_package_whose_entry_is_not_valid() -> None:
    with pytest.raises(MalformedError, match="'leaf\\.marker'"):
        bare("marker = 'linux'")


def test_names_package_whose_wheel_has_too_many_tags() -> None:
    many = ".".join(f"py{number}" for number in range(1001))
    with pytest.raises(MalformedError, match=r"packages leaf: wheels\[0\]: the wheel has too many"):
        bare(files(f"leaf-1.0-{many}-none-any.whl"))


def test_reads_file_url_as_path(tmp_path: Path) -> None:
    url = (tmp_path / "with space" / "leaf-1.0-py3-none-any.whl").as_uri()
    lock = f"{HEAD}[[packages]]\nname = 'leaf'\nversion = '1.0'\nwheels = [{{ url = '{url}', "
    lock += f"hashes = {{ sha256 = '{SHA256}' }} }}]\n"
    [package] = read_pylock(lock.encode(), tmp_path, Wanted(), name="demo").packages.values()
    [wheel] = package.wheels
    assert (wheel.url, wheel.path) == (None, tmp_path / "with space" / "leaf-1.0-py3-none-any.whl")
    assert not package.source.leaves_project


def test_refuses_invalid_url_of_a_file_with_a_name(tmp_path: Path) -> None:
    lock = f"{HEAD}[[packages]]\nname = 'leaf'\nversion = '1.0'\nwheels = [{{ "
    lock += "name = 'leaf-1.0-py3-none-any.whl', url = 'http://[half/leaf.whl', "
    lock += f"hashes = {{ sha256 = '{SHA256}' }} }}]\n"
    with pytest.raises(MalformedError, match="a URL is not valid"):
        read_pylock(lock.encode(), tmp_path, Wanted(), name="demo")
