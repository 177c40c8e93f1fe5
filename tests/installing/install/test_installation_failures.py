import errno
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from support.making.archives import join_plain, plain_frames
from support.making.bundles import make_bundle
from support.making.wheels import TinyWheel, make_wheel
from support.running.command import tree
from support.running.installations import (
    ALICE,
    SITE_PACKAGES,
    install,
    install_wheels,
    record,
    this_interpreter,
)
from wheelferry_installer.install import wheel_destination
from wheelferry_installer.plan.interpreter import Interpreter
from wheelferry_schemas.errors import (
    ConflictError,
    MalformedError,
    TamperedError,
    TransferError,
    WheelferryError,
)

PYTHON = f"python3.{sys.version_info.minor}"


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return tmp_path / "env"


def _refusal(environment: Path, *wheels: TinyWheel) -> WheelferryError:
    """Install wheels that cannot be; what was there before has to stay as it was."""
    before = tree(environment)
    with pytest.raises(WheelferryError) as caught:
        install_wheels(environment, wheels)
    assert tree(environment) == before
    assert not environment.with_name("env.wheelferry").exists()
    return caught.value


# Wheels that get in each other's way.


def test_same_file_in_two_wheels_is_a_warning(environment: Path) -> None:
    wheels = [make_wheel(n, files={"shared/__init__.py": b"", f"{n}.py": b""}) for n in ("a", "b")]
    done = install_wheels(environment, wheels)
    (warning,) = done.warnings
    assert warning.startswith(f"{SITE_PACKAGES}/shared/__init__.py comes from wheels/")
    assert warning.endswith("and another wheel with the same content")
    for name in ("a", "b"):
        listed = record(environment, f"{name}-1.0.dist-info")
        assert environment / SITE_PACKAGES / "shared/__init__.py" in listed


def test_refuses_two_contents_for_one_file(environment: Path) -> None:
    install_wheels(environment, [make_wheel("old")])
    wheels = [make_wheel(n, files={"shared.py": n.encode()}) for n in ("a", "b")]
    error = _refusal(environment, *wheels)
    assert isinstance(error, MalformedError)
    assert error.message == "wheels of the bundle contain the same files"
    assert len(error.details) == 1
    assert error.details[0].startswith(f"{SITE_PACKAGES}/shared.py of wheels/")


@pytest.mark.parametrize(
    ("one", "other"),
    [("Shared.py", "shared.py"), ("\u00e9.py", "e\u0301.py"), ("stra\u00dfe.py", "STRASSE.py")],
    ids=["case", "normalization", "folding"],
)
def test_refuses_names_that_are_one_file_elsewhere(environment: Path, one: str, other: str) -> None:
    error = _refusal(
        environment, make_wheel("a", files={one: b"x"}), make_wheel("b", files={other: b"x"})
    )
    assert "are one file on some file systems" in error.details[0]


def test_refuses_file_in_the_place_of_a_folder(environment: Path) -> None:
    error = _refusal(
        environment, make_wheel("a", files={"x": b""}), make_wheel("b", files={"x/y.py": b""})
    )
    assert isinstance(error, MalformedError)
    assert f"{SITE_PACKAGES}/x" in str(error)


@pytest.mark.parametrize(
    "path",
    [
        "scripts/python",
        f"scripts/{PYTHON}",
        "scripts/activate",
        "data/pyvenv.cfg",
        "data/.gitignore",
        f"data/{SITE_PACKAGES}/other.py",
        f"data/lib64/{PYTHON}/site-packages/other.py",
    ],
)
def test_refuses_wheel_that_writes_over_what_is_not_its_own(environment: Path, path: str) -> None:
    evil = make_wheel("evil", files={f"evil-1.0.data/{path}": b"evil"})
    # Where lib64 is no link to lib, the last of these paths is a place of its own.
    other = {
        "other.py": b"",
        "other-1.0.data/data/lib64/" + PYTHON + "/site-packages/other.py": b"",
    }
    files = other if "lib64" in path else {"other.py": b""}
    error = _refusal(environment, evil, make_wheel("other", files=files))
    assert isinstance(error, MalformedError)
    assert Path(path).name in str(error)


def test_refuses_entry_point_in_the_place_of_the_interpreter(environment: Path) -> None:
    entry_points = "[console_scripts]\npython = evil:main\n"
    error = _refusal(environment, make_wheel("evil", entry_points=entry_points))
    assert "'python'" in str(error)


def test_wheel_cannot_forge_the_receipt(environment: Path) -> None:
    forged = {"evil-1.0.data/data/wheelferry/receipt.json": b"forged"}
    error = _refusal(environment, make_wheel("evil", files=forged))
    assert "wheelferry/receipt.json" in str(error)


def test_nothing_is_written_outside_the_environment(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    evil = make_wheel("evil", files={"../../../../outside/x": b"evil"})
    with pytest.raises(MalformedError):
        install_wheels(tmp_path / "env", [evil])
    assert list(outside.iterdir()) == []


# What goes wrong, and leaves everything as it was.


def _damaged(bundle: Path, *numbers: int) -> None:
    plains = plain_frames(bundle.read_bytes())
    for number in numbers:
        plains[number] = plains[number][:700] + b"evil" + plains[number][704:]
    bundle.write_bytes(join_plain(plains))


@pytest.mark.parametrize("numbers", [(3,), (3, 4)], ids=["one", "two"])
def test_damaged_wheels_leave_the_environment_as_it_was(
    environment: Path, numbers: tuple[int, ...]
) -> None:
    install_wheels(environment, [make_wheel("old")])
    before = tree(environment)
    bundle = environment.parent / "new.tar.zst"
    make_bundle(bundle, [make_wheel("a"), make_wheel("b"), make_wheel("c")], keys=[ALICE])
    _damaged(bundle, *numbers)
    with pytest.raises(TamperedError) as caught:
        install(bundle, environment)
    names = [f"wheels/{'abc'[number - 3]}-1.0-py3-none-any.whl" for number in numbers]
    assert all(name in str(caught.value) for name in names)
    assert tree(environment) == before


def test_damaged_member_that_is_not_installed_is_refused_too(environment: Path) -> None:
    bundle = environment.parent / "new.tar.zst"
    documents = {"pylock.toml": b"x" * 1000}
    make_bundle(bundle, [make_wheel("a")], keys=[ALICE], documents=documents)
    _damaged(bundle, 2)
    with pytest.raises(TamperedError, match=r"pylock\.toml: its hash"):
        install(bundle, environment)
    assert not environment.exists()


def test_tampering_outweighs_a_wheel_made_wrong(environment: Path) -> None:
    bundle = environment.parent / "new.tar.zst"
    wheels = [make_wheel("a"), make_wheel("b", files={"../b": b""})]
    make_bundle(bundle, wheels, keys=[ALICE])
    _damaged(bundle, 3)
    with pytest.raises(TamperedError) as caught:
        install(bundle, environment)
    assert caught.value.message == "2 members of the bundle cannot be installed"
    assert len(caught.value.details) == 2
    assert "copy it again" in str(caught.value.hint)


def _fail_with(code: int) -> Any:
    def fail(*_: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_full_or_failing_disk_leaves_the_environment_as_it_was(
    environment: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    install_wheels(environment, [make_wheel("old")])
    monkeypatch.setattr(wheel_destination, "_write_all", _fail_with(code))
    error = _refusal(environment, make_wheel("new"))
    assert isinstance(error, TransferError)
    assert os.strerror(code) in str(error)


def test_killed_worker_leaves_the_environment_as_it_was(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_wheels(environment, [make_wheel("old")])

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(wheel_destination, "_write_all", die)
    error = _refusal(environment, make_wheel("new"))
    assert error.message == "a worker process was killed while it installed"


def test_interruption_leaves_the_environment_as_it_was(environment: Path) -> None:
    install_wheels(environment, [make_wheel("old")])
    before = tree(environment)

    def interrupt(_name: str, _size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install_wheels(environment, [make_wheel("new")], on_progress=interrupt)
    assert tree(environment) == before
    assert not environment.with_name("env.wheelferry").exists()


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_came_meanwhile_and_is_not_ours_stays(
    environment: Path, tmp_path: Path, kind: str
) -> None:
    def come(_name: str, _size: int) -> None:
        if os.path.lexists(environment):
            return
        if kind == "folder":
            environment.mkdir()
            (environment / "data").write_text("mine")
        elif kind == "file":
            environment.write_text("mine")
        else:
            environment.symlink_to(tmp_path)

    with pytest.raises(ConflictError, match="already exists"):
        install_wheels(environment, [make_wheel("new")], on_progress=come)
    assert environment.is_symlink() is (kind == "link")
    assert kind != "folder" or (environment / "data").read_text() == "mine"
    assert kind != "file" or environment.read_text() == "mine"


def test_interpreter_that_cannot_make_environments(
    environment: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho No module named venv >&2\nexit 1\n")
    python.chmod(0o755)
    here = this_interpreter()
    crippled = Interpreter(
        executable=python,
        base_executable=python,
        markers=here.markers,
        tags=here.tags,
        paths=here.paths,
        libc=here.libc,
    )
    monkeypatch.setattr("support.running.installations.this_interpreter", lambda: crippled)
    error = _refusal(environment, make_wheel("new"))
    assert error.message == f"{python} could not create an environment"
    assert error.details == ("No module named venv",)
    assert "python3-venv" in str(error.hint)


def test_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("new")], keys=[ALICE])
    with pytest.raises(TransferError, match="/proc/nowhere/env could not be written"):
        install(bundle, Path("/proc/nowhere/env"))
