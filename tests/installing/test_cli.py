import importlib.metadata
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click
import pytest

from support.running.command import Ran
from wheelferry_installer import cli
from wheelferry_schemas.errors import (
    ConflictError,
    MalformedError,
    OutdatedError,
    TransferError,
    TrustError,
    UnfitError,
    UsageError,
    WheelferryError,
)

STOPPED = "error: stopped; nothing was changed\nhint: to go on, run the same command again\n"
Main = Callable[..., Ran]
FailWith = Callable[..., Ran]


@pytest.fixture
def fail_with(monkeypatch: pytest.MonkeyPatch, main: Main) -> FailWith:
    """Runs a command that raises."""

    def run(error: BaseException, arguments: tuple[str, ...] = ()) -> Ran:
        def fail(**_: object) -> NoReturn:
            raise error

        monkeypatch.setattr(cli.bundle, "main", fail)
        return main(*arguments)

    return run


def test_help_tells_both_sides_apart(main: Main) -> None:
    ran = main("--help")
    assert ran.code == 0
    far = ran.out.index("Air-gapped host:")
    online = ran.out.index("Online host:")
    assert far < ran.out.index("  install ") < ran.out.index("  verify ") < online
    assert online < ran.out.index("  create ")
    assert "bundle trust add alice.pub" in ran.out


@pytest.mark.parametrize("group", [(), ("trust",)])
def test_help_is_what_one_gets_without_a_command(main: Main, group: tuple[str, ...]) -> None:
    wanted = main(*group, "-h").out
    ran = main(*group)
    assert wanted.startswith(f"Usage: {' '.join(('bundle', *group))} [OPTIONS]")
    assert ran.out + ran.err == wanted


@pytest.mark.parametrize("name", sorted({*cli._OWN, *cli._BUNDLERS}))
def test_every_command_has_help(main: Main, name: str) -> None:
    ran = main(name, "--help")
    assert ran.code == 0
    assert f"Usage: bundle {name}" in ran.out


def test_version(main: Main) -> None:
    version = importlib.metadata.version("wheelferry-installer")
    assert main("--version").out == f"wheelferry, version {version}\n"


def test_unknown_command(main: Main) -> None:
    ran = main("sing")
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err == (
        "error: no such command 'sing'. Did you mean 'sign'?\nhint: see: bundle --help\n"
    )
    assert main("xyz").err == "error: no such command 'xyz'\nhint: see: bundle --help\n"


@pytest.mark.parametrize(
    ("arguments", "near"),
    [(("creat",), "create"), (("trust", "lst"), "list"), (("verify", "--quite", "x"), "--quiet")],
)
def test_says_what_may_have_been_meant(main: Main, arguments: tuple[str, ...], near: str) -> None:
    ran = main(*arguments)
    assert ran.code == 2
    assert f"Did you mean '{near}'?" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify",), "missing argument 'BUNDLE'"),
        (("verify", "x", "y"), "got unexpected extra argument"),
        (("verify", "--nope", "x"), "no such option"),
    ],
)
def test_wrong_arguments(main: Main, arguments: tuple[str, ...], said: str) -> None:
    ran = main(*arguments)
    assert ran.code == 2
    assert ran.err.startswith(f"error: {said}")
    assert "hint: see: bundle verify --help" in ran.err


def test_terminal_is_not_steered_by_the_name_of_a_command(main: Main) -> None:
    assert "\x1b" not in main("\x1b[31mred").err


@pytest.mark.parametrize("name", sorted(cli._BUNDLERS))
def test_says_how_to_get_the_online_side_where_it_is_not_installed(
    main: Main, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def none(**_: str) -> tuple[()]:
        return ()

    monkeypatch.setattr(importlib.metadata, "entry_points", none)
    ran = main(name)
    assert ran.code == 2
    assert ran.err == (
        f"error: 'bundle {name}' belongs to the online side, which is not installed here\n"
        "hint: run it on the online host, where wheelferry_bundler is installed as well\n"
    )


def test_online_side_is_found_through_its_entry_point(main: Main) -> None:
    names = {entry.name for entry in importlib.metadata.entry_points(group=cli._ENTRY_POINTS)}
    assert names == set(cli._BUNDLERS)
    assert main("create", "--help").code == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (WheelferryError("bad"), 1),
        (UsageError("bad"), 2),
        (TrustError("bad"), 3),
        (MalformedError("bad"), 4),
        (UnfitError("bad"), 5),
        (OutdatedError("bad"), 6),
        (TransferError("bad"), 7),
        (ConflictError("bad"), 8),
    ],
)
def test_error_is_one_line_with_the_exit_code_of_its_family(
    fail_with: FailWith, error: WheelferryError, code: int
) -> None:
    assert fail_with(error) == Ran(code=code, out="", err=f"error: bad\nhint: {error.hint}\n")


def test_single_detail_stands_on_the_line_of_the_error(fail_with: FailWith) -> None:
    error = WheelferryError("one is wrong", details=["this one"], hint="fix it")
    assert fail_with(error).err == "error: one is wrong: this one\nhint: fix it\n"


def test_error_is_followed_by_its_details_and_a_hint(fail_with: FailWith) -> None:
    error = WheelferryError("two are wrong", details=["one", "other"], hint="fix them")
    assert fail_with(error).err == "error: two are wrong\n  one\n  other\nhint: fix them\n"


@pytest.mark.parametrize("options", [(), ("-v",)])
def test_control_characters_of_foreign_names_are_escaped(
    fail_with: FailWith, options: tuple[str, ...]
) -> None:
    name = "a\x1b[2Jb\r\nc\u202ed"
    error = WheelferryError(
        f"bad {name}", details=[f"one {name}", f"two {name}"], hint=f"hint {name}"
    )
    err = fail_with(error, options).err
    shown = "a\\x1b[2Jb\\r\\nc\\u202ed"
    assert err.startswith(f"error: bad {shown}\n  one {shown}\n  two {shown}\nhint: hint {shown}\n")
    assert not set("\x1b\r\u202e") & set(err)


def test_traceback_is_for_those_who_ask(fail_with: FailWith) -> None:
    assert "Traceback" not in fail_with(WheelferryError("bad")).err
    for option in ("-v", "--verbose"):
        ran = fail_with(WheelferryError("bad"), (option,))
        assert "Traceback (most recent call last):" in ran.err
        assert ran.code == 1


def test_mistake_of_ours_is_told_without_a_traceback(fail_with: FailWith) -> None:
    ran = fail_with(ZeroDivisionError("division by zero"))
    assert ran.code == 1
    assert ran.err == (
        "error: wheelferry itself failed: ZeroDivisionError: division by zero\n"
        "hint: this is a mistake in wheelferry: please report it with what 'bundle -v' prints\n"
    )
    assert "ZeroDivisionError" in fail_with(ZeroDivisionError("x"), ("-v",)).err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_interruption(fail_with: FailWith, error: BaseException) -> None:
    assert fail_with(error) == Ran(code=130, out="", err=STOPPED)


def test_error_of_the_system_names_the_file(fail_with: FailWith) -> None:
    ran = fail_with(PermissionError(13, "Permission denied", "/somewhere"))
    assert ran == Ran(
        code=7,
        out="",
        err=f"error: /somewhere: Permission denied\nhint: {TransferError.advice}\n",
    )


def test_whoever_reads_the_output_may_stop_reading() -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "wheelferry_installer", "--help"]
    run = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (run.returncode, run.stderr) == (0, b"")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import json, sys\nfrom wheelferry_installer import cli\n"
        "sys.argv = ['bundle', '--help']\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    sys.stderr.write(json.dumps([*sys.modules]))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    heavy = {"msgspec", "cryptography", "zstandard", "installer", "multiprocessing", "packaging"}
    assert not heavy & set(json.loads(run.stderr))


def test_both_names_start_the_same_command(tmp_path: Path) -> None:
    shown = set()
    for name in ("bundle", "wheelferry"):
        program = Path(sys.executable).with_name(name)
        run = subprocess.run(
            [program, "verify", "absent"], cwd=tmp_path, capture_output=True, check=False
        )
        assert run.returncode == 7
        shown.add(run.stderr)
    assert len(shown) == 1


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("started", ["module", "command"])
@pytest.mark.parametrize(
    ("number", "codes", "said"),
    [
        (signal.SIGINT, {130}, STOPPED),
        (signal.SIGTERM, {-signal.SIGTERM}, ""),
    ],
)
def test_ends_without_traceback_while_its_modules_are_loaded(
    tmp_path: Path, started: str, number: int, codes: set[int], said: str
) -> None:
    # A click that stops its own process as it is imported, for a time that no test could hit.
    code = f"import os, time\nos.kill(os.getpid(), {number:d})\ntime.sleep(60)\n"
    (tmp_path / "click.py").write_text(code, encoding="utf-8")
    commands = {
        "module": [sys.executable, "-m", "wheelferry_installer", "status"],
        "command": [os.fspath(Path(sys.executable).with_name("bundle")), "status"],
    }
    run = subprocess.run(
        commands[started],
        env={**os.environ, "PYTHONPATH": os.fspath(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in codes
    assert run.stderr == said
