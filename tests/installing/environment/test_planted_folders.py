"""Folders of wheelferry's own that others put there: in a repository, or by being first."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.making.wheels import make_wheel
from support.running.command import Ran, tree
from support.running.other_installers import Install, bundle_installer, packages
from support.running.users import STRANGER, as_stranger, make_shared, needs_two_users, stranger_does
from wheelferry_schemas import receipt
from wheelferry_schemas.errors import MalformedError

Main = Callable[..., Ran]
COMMANDS = ("status", "rollback", "uninstall", "install", "install --dry-run")
CHANGING = COMMANDS[1:-1]


@pytest.fixture
def install(tmp_path: Path, main: Main) -> Install:
    return bundle_installer(tmp_path, main)


@pytest.fixture
def run(main: Main, install: Install) -> Callable[[str, str, Path], Ran]:
    """Runs a command on a place."""

    def run(command: str, option: str, place: Path) -> Ran:
        name, *more = command.split()
        if name == "install":
            return install([make_wheel("ours")], option, place, *more)
        return main(name, option, place, *more)

    return run


Run = Callable[[str, str, Path], Ran]


# A folder that came with a repository or an archive: it belongs to this user.


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.bashrc").write_text("mine")
    return tmp_path / "home"


@pytest.mark.parametrize("command", COMMANDS)
def test_planted_journal_writes_nothing_through_a_link(
    tmp_path: Path, home: Path, run: Run, command: str
) -> None:
    place = tmp_path / "t"
    for folder in ("old", "new"):
        (place / ".wheelferry/applying" / folder).mkdir(parents=True)
    (place / "up").symlink_to(home)
    (place / ".wheelferry/applying/old/0").write_text("EVIL")
    taken = [{"path": "up/.bashrc", "size": 0, "modified": 0}]
    planned = {"taken": taken, "removed": [], "made": [], "put": [], "keep": False}
    (place / ".wheelferry/applying/changes.json").write_text(json.dumps(planned))
    ran = run(command, "--target", place)
    assert ran.code == (0 if "--dry-run" in command else 8)
    assert "unfinished" in ran.err or "describes a change that does not fit" in ran.err
    assert (home / ".bashrc").read_text() == "mine"
    assert (place / ".wheelferry/applying/old/0").exists()


@pytest.mark.parametrize("command", CHANGING)
def test_linked_control_folder_of_an_environment_is_not_followed(
    tmp_path: Path, run: Run, command: str
) -> None:
    project = tmp_path / "outer/project"
    for name in ("staging", "outgoing", "previous", "discarded"):
        (tmp_path / "outer" / name).mkdir(parents=True)
        (tmp_path / "outer" / name / "mine").write_text("")
    project.mkdir()
    (project / ".venv.wheelferry").symlink_to("..")
    before = tree(tmp_path / "outer")
    ran = run(command, "--venv", project / ".venv")
    assert ran.code == 8
    assert "is a symbolic link" in ran.err
    assert tree(tmp_path / "outer") == before


@pytest.mark.parametrize("name", ["staging", "outgoing", "previous", "discarded"])
@pytest.mark.parametrize("command", CHANGING)
def test_links_in_a_control_folder_are_not_followed(
    tmp_path: Path, home: Path, run: Run, command: str, name: str
) -> None:
    control = tmp_path / "project/.venv.wheelferry"
    control.mkdir(parents=True)
    (control / name).symlink_to(home)
    before = tree(home)
    run(command, "--venv", tmp_path / "project/.venv")
    assert tree(home) == before


@pytest.mark.parametrize("command", CHANGING)
def test_linked_folder_of_receipts_is_not_followed(
    tmp_path: Path, home: Path, run: Run, command: str
) -> None:
    (tmp_path / "t/.wheelferry").mkdir(parents=True)
    (tmp_path / "t/.wheelferry/target").symlink_to(home)
    before = tree(home)
    assert run(command, "--target", tmp_path / "t").code != 0
    assert tree(home) == before


# A folder that another user was first to make, where everybody may.


@pytest.mark.parametrize("command", CHANGING)
@needs_two_users
def test_control_folder_of_another_user_is_not_used(tmp_path: Path, run: Run, command: str) -> None:
    shared = make_shared(tmp_path / "shared")
    stranger_does("mkdir -m 777 env.wheelferry; mkdir -m 777 env.wheelferry/staging", cwd=shared)
    ran = run(command, "--venv", shared / "env")
    assert ran.code in (2, 8)
    assert not (shared / "env").exists()
    assert os.listdir(shared / "env.wheelferry") == ["staging"]


@needs_two_users
def test_unpacking_folder_of_another_user_is_not_used(
    tmp_path: Path, main: Main, install: Install
) -> None:
    install([make_wheel("ours")], "--venv", tmp_path / "env")
    shared = make_shared(tmp_path / "shared")
    stranger_does("mkdir -m 777 .out.unpacking", cwd=shared)
    signers = ("--allowed-signers", tmp_path / "signers")
    ran = main("unpack", tmp_path / "bundle.tar.zst", shared / "out", *signers)
    assert ran.code == 8
    assert f"belongs to another user (uid {STRANGER})" in ran.err
    assert not (shared / "out").exists()


@contextmanager
def racing(script: str, folder: Path) -> Iterator[None]:
    """Run a script of the stranger's again and again meanwhile."""
    loop = f"echo begun; while :; do {script}; done 2>/dev/null"
    with subprocess.Popen(
        as_stranger("sh", "-c", loop), cwd=folder, stdout=subprocess.PIPE, text=True
    ) as racer:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "begun\n"
        yield
        racer.kill()


@pytest.mark.parametrize("attempt", range(3))
@needs_two_users
def test_another_user_cannot_swap_what_is_built(
    tmp_path: Path, install: Install, attempt: int
) -> None:
    shared = make_shared(tmp_path / f"shared{attempt}")
    stranger_does("mkdir -p evil/lib; chmod -R 777 evil", cwd=shared)
    swap = "mv env.wheelferry/staging x; mv evil env.wheelferry/staging; mv env.wheelferry away"
    with racing(swap, shared):
        assert install([make_wheel("ours")], "--venv", shared / "env").code == 0
    assert packages(shared / "env") == ["ours-1.0"]
    assert {path.lstat().st_uid for path in (shared / "env").rglob("*")} == {os.geteuid()}


@needs_two_users
def test_former_environments_in_a_shared_folder_are_for_this_user_alone(
    tmp_path: Path, install: Install
) -> None:
    shared = make_shared(tmp_path / "shared")
    for version in ("1.0", "2.0"):
        assert install([make_wheel("ours", version)], "--venv", shared / "env").code == 0
    listed = as_stranger("ls", shared / "env.wheelferry")
    assert subprocess.run(listed, capture_output=True, check=False).returncode != 0
    stranger = as_stranger("ls", shared / "env")
    assert subprocess.run(stranger, capture_output=True, check=False).returncode == 0


# Receipts that make no sense.


NESTED = b"[" * 100_000
VALUES = (b"1e999", b"-1e999", b"NaN", NESTED, b'"\\ud800"', b'"a\\u0000b"', b"{}", b"null", b"")


@pytest.fixture
def environment(tmp_path: Path, install: Install) -> Path:
    install([make_wheel("ours")], "--venv", tmp_path / "env")
    return tmp_path / "env"


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("command", COMMANDS)
def test_receipt_that_makes_no_sense_is_none(
    environment: Path, run: Run, value: bytes, command: str
) -> None:
    path = environment / receipt.FOLDER / receipt.FILE_NAME
    path.write_bytes(path.read_bytes().replace(b'"format": 1', b'"format": %b' % value))
    ran = run(command, "--venv", environment)
    assert ran.code in (2, 8)


@pytest.mark.parametrize("name", ["/dev/zero", "pipe"])
def test_receipt_that_is_no_file_is_none(
    tmp_path: Path, environment: Path, run: Run, name: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    path = environment / receipt.FOLDER / receipt.FILE_NAME
    path.unlink()
    path.symlink_to(tmp_path / name)
    assert run("status", "--venv", environment).code == 2


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = ("format", "generation", "packages", "files", "links", "compiled", "installed")


@given(field=st.sampled_from(FIELDS), value=values)
def test_receipt_is_read_or_malformed(field: str, value: object) -> None:
    data = json.dumps({"format": 1, field: value}).encode()
    with pytest.raises(MalformedError):
        receipt.parse(data)
