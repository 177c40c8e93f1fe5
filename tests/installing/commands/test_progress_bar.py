"""Progress of both rooms, on terminals of several widths and without one."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.making.bundles import make_bundle, trust
from support.making.wheels import make_wheel
from support.running.installations import ALICE
from support.running.terminals import on_terminal
from wheelferry_bundler.commands import phase_bar
from wheelferry_installer.commands import progress_bar
from wheelferry_schemas.display import cells

WIDTHS = (40, 80, 120)
BARS = ("wheelferry_installer.commands.drawn_bar", "wheelferry_bundler.commands.drawn_phase")
DRAW = """
import time
from {module} import DrawnBar
bar = DrawnBar("installing", {total})
for number in range(6):
    bar.advance("\u99ac\U0001f40e" * 9 + f"\\x1b[2J{{number}}", {amount})
    time.sleep(0.12)
bar.close()
"""


def _states(said: str) -> list[str]:
    """Return what a bar showed, one state after the other; it ends with the only line break."""
    line, end, rest = said.partition("\r\n")
    assert (end, rest) == ("\r\n", "")
    return [state for state in line.split("\r") if state]


def _draw(module: str, total: int | None, columns: int, cwd: Path) -> list[str]:
    code = DRAW.format(module=module, total=total, amount=1_500_000)
    ended, said = on_terminal([sys.executable, "-c", code], columns=columns, cwd=cwd)
    assert ended == 0, said
    return _states(said)


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("module", BARS)
def test_bar_is_one_line_at_any_width(module: str, columns: int, tmp_path: Path) -> None:
    states = _draw(module, 9_000_000, columns, tmp_path)
    assert len(states) > 3
    assert all(cells(state) <= columns for state in states)
    assert not any("\x1b" in state for state in states)
    assert all("MB/s" in state for state in states[1:])
    assert all("%" in state for state in states)
    assert "0:0" in states[2]
    assert ("left" in states[2]) is (columns > 40)
    assert ("\u99ac" in states[2]) is (columns == 120)


@pytest.mark.parametrize("module", BARS)
def test_bar_of_what_nobody_knows_the_size_of_tells_no_end(module: str, tmp_path: Path) -> None:
    states = _draw(module, None, 80, tmp_path)
    assert all(cells(state) <= 80 for state in states)
    assert "installing 9.0 MB, " in states[-1]


def test_bar_does_not_exceed_what_was_announced(tmp_path: Path) -> None:
    states = _draw(BARS[1], 8_000_000, 80, tmp_path)
    assert states[-1].startswith("installing 100% ")
    assert "8.0 MB of 8.0 MB" in states[-1]


@pytest.mark.parametrize("columns", WIDTHS)
def test_command_draws_its_bar_on_the_terminal(columns: int, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")], keys=[ALICE])
    signers = trust(tmp_path / "signers", ALICE)
    program = (sys.executable, "-m", "wheelferry_installer")
    code, said = on_terminal(
        (*program, "verify", bundle, "--allowed-signers", signers), columns=columns, cwd=tmp_path
    )
    assert code == 0
    bar, _, rest = said.partition("\r\n")
    assert "verifying 100% " in bar
    assert "is intact" in rest
    assert all(cells(state) <= columns for state in bar.split("\r"))


def _installing(pieces: int) -> None:
    with progress_bar.bar("working", 10 * pieces, shown=True) as advance:
        for _ in range(pieces):
            advance("", 10)


def _bundling(pieces: int) -> None:
    bar = phase_bar.PhaseBar()
    bar.step("working", 10 * pieces)
    for _ in range(pieces):
        bar.advance("", 10)
    bar.finish()


@pytest.mark.parametrize(("work", "first"), [(_installing, []), (_bundling, ["working"])])
def test_without_a_terminal_a_line_is_told_now_and_then(
    work: Callable[[int], None],
    first: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seconds = iter(range(0, 1000, 20))
    monkeypatch.setattr("time.monotonic", lambda: float(next(seconds)))
    work(4)
    assert capsys.readouterr().err.splitlines() == [
        *first,
        "working: 20 B of 40 B, 0 B/s, 0:40 left",
        "working: 40 B of 40 B, 0 B/s",
    ]


@pytest.mark.parametrize("work", [_installing, _bundling])
def test_what_is_quick_is_not_told_again(
    work: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    work(3)
    assert capsys.readouterr().err in ("", "working\n")
