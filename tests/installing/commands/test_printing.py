import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.running.command import Ran
from support.running.terminals import on_terminal
from wheelferry_installer.commands import printing
from wheelferry_schemas.display import cells
from wheelferry_schemas.errors import WheelferryError

Main = Callable[..., Ran]
HOSTILE = "a\x1b[2J\x9bb\u202ec\rd\ne\x7f"
SHOWN = "a\\x1b[2J\\x9bb\\u202ec\\rd\\ne\\x7f"
FAILING = (sys.executable, "-m", "wheelferry_installer", "trust", "remove", "somebody")


@pytest.mark.parametrize("function", [printing.say, printing.tell])
def test_foreign_text_does_not_steer_the_terminal(
    function: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    function(HOSTILE)
    out, err = capsys.readouterr()
    assert out + err == f"{SHOWN}\n"


def test_json_holds_no_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    printing.say_json({HOSTILE: 1})
    assert all(" " <= char <= "~" for char in capsys.readouterr().out.replace("\n", ""))


def test_text_that_the_terminal_cannot_show_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    printing.say("Žluťoučký")
    stream.flush()
    assert stream.buffer.getvalue() == b"\\u017dlu\\u0165ou\\u010dk\\xfd\n"


def test_error_names_the_command_as_it_was_started(capsys: pytest.CaptureFixture[str]) -> None:
    error = WheelferryError("bundle bad", hint="see: bundle trust list; there: bundle create")
    printing.report(error, "python3 bundle.pyz")
    assert capsys.readouterr().err == (
        "error: bundle bad\nhint: see: python3 bundle.pyz trust list; there: bundle create\n"
    )


def test_errors_are_coloured_on_a_terminal(tmp_path: Path) -> None:
    code, said = on_terminal(FAILING, columns=200, cwd=tmp_path)
    assert code == 2
    assert said.startswith("\x1b[31merror:\x1b[0m /")
    assert "\n\x1b[36mhint:\x1b[0m see: bundle trust list\r\n" in said


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_for_those_who_want_none(tmp_path: Path, variables: dict[str, str]) -> None:
    _, said = on_terminal(FAILING, columns=200, cwd=tmp_path, env=variables)
    assert said.startswith("error: /")
    assert "\x1b" not in said


def test_lines_break_between_words_on_a_narrow_terminal(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "wheelferry_installer", "trust", "remove", "some body " * 9)
    _, said = on_terminal(command, columns=40, cwd=tmp_path, env={"NO_COLOR": "1"})
    lines = said.splitlines()
    assert len(lines) > 4
    assert all(cells(line) <= 40 for line in lines if " " in line.strip())
    assert {word for line in lines for word in line.split()} >= {"does", "not", "list", "some"}


def test_lines_are_whole_where_nobody_looks(main: Main) -> None:
    assert len(main("trust", "remove", "some body " * 9).err.splitlines()) == 2
