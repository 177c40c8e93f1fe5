"""Bad input: one `error:`, one `hint:`, the documented exit code, and nothing written."""

import platform
from pathlib import Path

import pytest

from support.making.bundles import host_target, make_bundle, make_key, trust
from support.making.projects import compiled, make_project
from support.making.wheels import make_wheel
from support.running.command import Ran, bundle, succeed, tree
from support.running.index import LocalIndex
from wheelferry_bundler.read.targets import PythonVersion, make_target
from wheelferry_bundler.select.platforms import parse_platform

NEWER = 39
"""A minor version that no host has yet."""
LINUX = ("--platform", "manylinux_2_28_x86_64", "--python", "3.12")


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Path:
    return make_project(tmp_path / "project", index, [(make_wheel("pure"), None)])


@pytest.fixture
def signed(tmp_path: Path, config_folder: Path) -> Path:
    """A bundle that this host trusts and that fits it."""
    key = make_key()
    trust(config_folder / "allowed_signers", key)
    return make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")], keys=[key])


def refuse(ran: Ran, code: int, *said: str) -> None:
    """Check that a command failed as documented and says these words."""
    assert ran.code == code, ran.err
    lines = ran.err.splitlines()
    assert sum(line.startswith("error: ") for line in lines) == 1, ran.err
    assert sum(line.startswith("hint: ") for line in lines) == 1, ran.err
    for words in said:
        assert words in ran.err


def refuse_to_create(project: Path, *options: str, code: int, said: tuple[str, ...]) -> None:
    before = tree(project)
    refuse(bundle("create", *options, cwd=project), code, *said)
    assert tree(project) == before


def refuse_to_install(
    path: Path, folder: Path, *options: str, code: int, said: tuple[str, ...]
) -> None:
    folder.mkdir(exist_ok=True)
    before = tree(folder)
    refuse(bundle("install", path, *options, cwd=folder), code, *said)
    assert tree(folder) == before


def test_no_lock(tmp_path: Path) -> None:
    refuse_to_create(tmp_path, code=2, said=("no lock found here", "uv.lock"))


def test_pyproject_that_only_configures_tools(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    refuse_to_create(tmp_path, code=2, said=("no lock found here", "uv.lock"))


def test_says_which_of_two_inputs_it_takes(project: Path) -> None:
    (project / "requirements.txt").write_text("pure==1.0\n")
    ran = succeed("create", *LINUX, "--dry-run", cwd=project)
    assert "reading uv.lock; ignoring requirements.txt" in ran.err


def test_unknown_platform_suggests_near_ones(project: Path) -> None:
    refuse_to_create(
        project,
        *("--platform", "manylinux_2_28_x8664"),
        code=2,
        said=("unknown platform 'manylinux_2_28_x8664'", "did you mean manylinux_2_28_x86_64"),
    )


def test_lock_of_a_newer_version(project: Path) -> None:
    lock = project / "uv.lock"
    lock.write_text(lock.read_text().replace("version = 1\n", "version = 2\n", 1))
    refuse_to_create(project, code=4, said=("version 2", "upgrade wheelferry"))


def test_lock_of_the_older_kind(project: Path) -> None:
    lock = project / "uv.lock"
    lock.write_text(lock.read_text().replace("[[package]]", "[[distribution]]"))
    refuse_to_create(project, code=4, said=("uv lock",))


def test_every_package_without_a_fitting_wheel_is_named(tmp_path: Path, index: LocalIndex) -> None:
    project = make_project(
        tmp_path / "p",
        index,
        [
            *((wheel, None) for wheel in compiled("newglibc", "2.5", "manylinux_2_28_x86_64")),
            *((wheel, None) for wheel in compiled("mac", "1.0", "macosx_11_0_arm64")),
        ],
    )
    refuse_to_create(
        project,
        *("--platform", "manylinux2014_x86_64", "--python", "3.12"),
        code=5,
        said=(
            "newglibc 2.5 has no wheel",
            "--platform manylinux_2_28_x86_64",
            "mac 1.0 has no wheel",
            "macosx_11_0_arm64",
        ),
    )


def test_file_that_the_index_changed(project: Path, index: LocalIndex) -> None:
    name = "pure-1.0-py3-none-any.whl"
    locked = index.hashes[name]
    index.add_file(name, b"other bytes")
    refuse_to_create(project, code=4, said=(name, locked, index.hashes[name]))


def test_file_that_is_gone(project: Path, index: LocalIndex) -> None:
    del index.files["pure-1.0-py3-none-any.whl"]
    refuse_to_create(project, code=7, said=("pure-1.0-py3-none-any.whl", "404"))


def test_index_that_asks_for_a_login(project: Path, index: LocalIndex) -> None:
    index.login = ("user", "word")
    refuse_to_create(project, code=7, said=("401", "netrc"))


def test_index_that_is_not_there(project: Path, index: LocalIndex) -> None:
    lock = project / "uv.lock"
    lock.write_text(lock.read_text().replace(index.url, "http://127.0.0.1:9"))
    refuse_to_create(project, code=7, said=("cannot be reached", "network"))


def test_full_disk_leaves_no_partial_output(tmp_path: Path, index: LocalIndex) -> None:
    big = make_wheel("big", files={"big.bin": bytes(range(256)) * 4})
    project = make_project(tmp_path / "p", index, [(big, None)])
    succeed("create", "--dry-run", cwd=project)
    succeed("create", "-o", tmp_path / "warm", cwd=project)
    before = tree(project)
    ran = bundle(
        "create",
        cwd=project,
        prefix=["prlimit", f"--fsize={(tmp_path / 'warm').stat().st_size // 2}"],
    )
    refuse(ran, 7, "bundle.tar.zst could not be written", "no part of it was left")
    assert tree(project) == before


def test_output_that_exists(project: Path) -> None:
    (project / "bundle.tar.zst").write_text("mine")
    refuse_to_create(project, code=8, said=("exists already", "--force"))


def test_truncated_bundle(signed: Path, tmp_path: Path) -> None:
    signed.write_bytes(signed.read_bytes()[:-100])
    refuse_to_install(signed, tmp_path / "far", code=4, said=("copy it again",))


def test_tampered_bundle(signed: Path, tmp_path: Path) -> None:
    data = bytearray(signed.read_bytes())
    data[len(data) - 200] ^= 1
    signed.write_bytes(data)
    refuse_to_install(signed, tmp_path / "far", code=4, said=("tampered",))


def test_file_that_is_no_bundle(signed: Path, tmp_path: Path) -> None:
    signed.write_text("hello")
    refuse_to_install(signed, tmp_path / "far", code=4, said=("too short to be a bundle",))


def test_bundle_that_is_not_there(tmp_path: Path) -> None:
    refuse_to_install(tmp_path / "no.tar.zst", tmp_path / "far", code=7, said=("cannot be read",))


def test_unknown_signer(signed: Path, tmp_path: Path, config_folder: Path) -> None:
    trust(config_folder / "allowed_signers", make_key("bob"))
    refuse_to_install(
        signed, tmp_path / "far", code=3, said=("SHA256:", "bundle trust add", "does not know")
    )


def test_host_that_trusts_nobody(signed: Path, tmp_path: Path, config_folder: Path) -> None:
    (config_folder / "allowed_signers").unlink()
    refuse_to_install(
        signed, tmp_path / "far", code=3, said=("no trusted signers", "bundle trust add")
    )


def test_unsigned_bundle(signed: Path, tmp_path: Path) -> None:
    make_bundle(signed, [make_wheel("pure")])
    refuse_to_install(signed, tmp_path / "far", code=3, said=("not signed", "--allow-unsigned"))


@pytest.mark.parametrize(
    ("name", "minor", "said"),
    [
        (None, NEWER, f"made for Python 3.{NEWER}"),
        ("manylinux_2_28_s390x", None, "another processor architecture"),
        (f"musllinux_1_2_{platform.machine()}", None, "does not run here"),
        ("win_amd64", None, "another operating system"),
    ],
)
def test_bundle_for_another_host(
    name: str | None, minor: int | None, said: str, tmp_path: Path, config_folder: Path
) -> None:
    host = host_target()
    target = make_target(
        parse_platform(name or host.id.split("-", 1)[1]),
        PythonVersion(minor=minor or host.python[1]),
    )
    tag = f"{target.abis[0]}-{target.abis[0]}-{target.platforms[0]}"
    key = make_key()
    trust(config_folder / "allowed_signers", key)
    path = make_bundle(
        tmp_path / "bundle.tar.zst",
        [make_wheel("fast", tag=tag, pure=False)],
        keys=[key],
        targets=[target],
    )
    refuse_to_install(path, tmp_path / "far", code=5, said=("nothing in the bundle fits", said))


def test_environment_that_is_not_ours(signed: Path, tmp_path: Path) -> None:
    (tmp_path / "far/.venv").mkdir(parents=True)
    (tmp_path / "far/.venv/precious").write_text("data")
    refuse_to_install(signed, tmp_path / "far", code=8, said=("not made by wheelferry", "--venv"))


def test_interpreter_that_is_none(signed: Path, tmp_path: Path) -> None:
    refuse_to_install(
        signed, tmp_path / "far", "--python", "/bin/false", code=5, said=("--python",)
    )


@pytest.mark.parametrize("options", [("--dry-run",), ("--unsigned",)])
def test_all_files_and_folders_of_a_lock_that_are_not_there_are_named(
    tmp_path: Path, index: LocalIndex, options: tuple[str, ...]
) -> None:
    wheel = make_wheel("pure")
    index.add(wheel)
    hashes = f"hashes = {{ sha256 = '{'0' * 64}' }}"
    packages = {
        "pure": f"wheels = [{{ url = '{index.file_url(wheel.file_name)}', "
        f"hashes = {{ sha256 = '{wheel.sha256}' }} }}]",
        "folder": "directory = { path = 'libs/folder' }",
        "file": f"wheels = [{{ path = 'wheels/file-1.0-py3-none-any.whl', {hashes} }}]",
        "archive": f"archive = {{ path = 'archive-1.0.tar.gz', {hashes} }}",
    }
    (tmp_path / "pylock.toml").write_text(
        "lock-version = '1.0'\ncreated-by = 'tests'\n"
        + "".join(
            f"[[packages]]\nname = '{name}'\nversion = '1.0'\n{text}\n"
            for name, text in packages.items()
        )
    )
    refuse_to_create(
        tmp_path,
        *LINUX,
        "--platform",
        "win_amd64",
        *options,
        code=5,
        said=(
            "3 problems prevent this bundle",
            f"the folder of folder 1.0 does not exist: {tmp_path / 'libs/folder'}",
            f"the file of file 1.0 does not exist: {tmp_path / 'wheels/file-1.0-py3-none-any.whl'}",
            f"the file of archive 1.0 does not exist: {tmp_path / 'archive-1.0.tar.gz'}",
        ),
    )
    assert index.file_requests(wheel.file_name) == []


def test_folder_of_a_workspace_that_is_not_there_is_named(project: Path) -> None:
    lock = project / "uv.lock"
    member = (
        "[[package]]\nname = 'member'\nversion = '1.0'\nsource = { editable = 'libs/member' }\n"
    )
    text = lock.read_text().replace("dependencies = [", "dependencies = [{ name = 'member' }, ", 1)
    lock.write_text(text + member)
    refuse_to_create(project, *LINUX, "--dry-run", code=5, said=("the folder of member 1.0",))
