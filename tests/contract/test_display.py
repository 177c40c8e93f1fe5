import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelferry_schemas.display import (
    bar_parts,
    count,
    human_size,
    printable,
    progress_text,
    shortened,
    wrapped,
)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("one\ntwo", "one\\ntwo"),
        ("back\rover", "back\\rover"),
        ("bell\x07", "bell\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("right\u202eleft", "right\\u202eleft"),
        ("line\u2028line", "line\\u2028line"),
        ("half\ud800", "half\\ud800"),
        ("own\ue000", "own\\ue000"),
    ],
)
def test_escapes_what_could_steer_a_terminal(hostile: str, shown: str) -> None:
    assert printable(hostile) == shown


def test_leaves_letters_of_all_scripts() -> None:
    assert printable("Žluťoučký kůň, 馬, 🐎") == "Žluťoučký kůň, 馬, 🐎"


@given(st.text())
def test_printable_text_is_one_line_without_controls(text: str) -> None:
    shown = printable(text)
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Zl", "Zp", "Cs"}
    shown.encode()


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (1_500, "1.5 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (12_345_678, "12.3 MB"),
        (5_000_000_000, "5.0 GB"),
        (3 * 10**15, "3000.0 TB"),
    ],
)
def test_sizes_are_in_powers_of_a_thousand(size: int, shown: str) -> None:
    assert human_size(size) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0 wheels"), (1, "1 wheel"), (2, "2 wheels"), (12_345, "12,345 wheels")],
)
def test_counts_have_the_noun_in_the_right_number(number: int, shown: str) -> None:
    assert count(number, "wheel") == shown


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 4, [""]),
        ("one two", 7, ["one two"]),
        ("one two", 6, ["one", "  two"]),
        ("  one two three", 9, ["  one two", "    three"]),
        ("1.0  18 MB", 7, ["1.0  18", "  MB"]),
        ("endlessly long", 4, ["endlessly", "  long"]),
        ("馬馬 馬馬", 8, ["馬馬", "  馬馬"]),
        ("see: bundle trust list; or not", 12, ["see:", "  bundle trust list;", "  or not"]),
        ("say 'bundle show' or not", 10, ["say", "  'bundle show'", "  or not"]),
    ],
)
def test_lines_break_between_words(text: str, width: int, lines: list[str]) -> None:
    assert wrapped(text, width) == lines


@given(st.text("ab '\u99ac:"), st.integers(min_value=4, max_value=40))
def test_breaking_lines_loses_no_word(text: str, width: int) -> None:
    assert " ".join(wrapped(text, width)).split() == text.split()


@pytest.mark.parametrize(
    ("work", "text"),
    [
        ((0, 10**7, 0.0), "0 B of 10.0 MB"),
        ((10**6, 10**7, 5e5), "1.0 MB of 10.0 MB, 500.0 kB/s, 0:18 left"),
        ((10**6, 10**10, 1e6), "1.0 MB of 10.0 GB, 1.0 MB/s, 2:46:39 left"),
        ((10**7, 10**7, 5e5), "10.0 MB of 10.0 MB, 500.0 kB/s"),
        ((10**6, None, 5e5), "1.0 MB, 500.0 kB/s"),
        ((1, 2, 0.1, "package"), "1 of 2 packages, 0:10 left"),
    ],
)
def test_progress_tells_bytes_rate_and_time_left(work: tuple[Any, ...], text: str) -> None:
    assert progress_text(*work) == text


def test_brief_progress_is_short() -> None:
    assert progress_text(10**6, 10**7, 5e5, brief=True) == "1.0 MB 500.0 kB/s 0:18"


def test_text_is_cut_to_columns() -> None:
    assert shortened("\u99ac\u99ac", 3) == "\u99ac"
    assert shortened("short", 5) == "short"


@pytest.mark.parametrize(
    ("width", "parts"),
    [
        (59, {"line": "verifying 50% 5.0 MB 1.0 MB/s 0:05"}),
        (60, {"percent": " 50%", "text": "5.0 MB of 10.0 MB, 1.0 MB/s, 0:05 left", "name": ""}),
        (
            92,
            {
                "percent": " 50%",
                "text": "5.0 MB of 10.0 MB, 1.0 MB/s, 0:05 left",
                "name": "  pu\\x",
            },
        ),
    ],
)
def test_bar_has_what_there_is_room_for(width: int, parts: dict[str, str]) -> None:
    made = bar_parts("verifying", 5_000_000, 10_000_000, 1e6, None, "pu\x1bre.whl", width)
    assert {name: part for name, part in made.items() if name != "bar_format"} == parts


def test_bar_without_a_total_is_a_line() -> None:
    made = bar_parts("building", 3, None, 0, "wheel", "", 100)
    assert made["line"] == "building 3"
