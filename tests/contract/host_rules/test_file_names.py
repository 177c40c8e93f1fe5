"""Names that are fit for every file system."""

from __future__ import annotations

import pytest

from wheelferry_schemas.host_rules.file_names import colliding, name_problem

CHARACTER = "has a character that file names must not have"
NOT_PLAIN = "is not a plain relative path"
TOO_LONG = "has a part that is longer than 255 bytes"


@pytest.mark.parametrize(
    "name",
    [
        "foo.py",
        "foo/bar/__init__.py",
        ".hidden",
        "..foo",
        "foo..",
        "foo/...",
        "a b",
        "é/馬",
        "x" * 255,
        f"{'x' * 255}/{'y' * 255}",
        "é" * 127,
    ],
)
def test_takes_plain_relative_path(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", NOT_PLAIN),
        (".", NOT_PLAIN),
        ("..", NOT_PLAIN),
        ("foo/..", NOT_PLAIN),
        ("foo/../bar", NOT_PLAIN),
        ("./foo", NOT_PLAIN),
        ("foo//bar", NOT_PLAIN),
        ("foo/", NOT_PLAIN),
        ("é/..", NOT_PLAIN),
        ("/foo", "is an absolute path"),
        ("/é", "is an absolute path"),
        ("foo\n", CHARACTER),
        ("C:foo", CHARACTER),
        ("a\\b", CHARACTER),
        ("\x00", CHARACTER),
        ("\x1f", CHARACTER),
        ("\x7f", CHARACTER),
        ("\x9f", CHARACTER),
        ("x" * 256, TOO_LONG),
        (f"foo/{'x' * 256}/bar", TOO_LONG),
        ("é" * 128, TOO_LONG),
    ],
)
def test_says_what_is_wrong_with_name(name: str, problem: str) -> None:
    assert name_problem(name) == problem


ONE_FILE = "are one file on some file systems"
FOLDER_TOO = "cannot both be there: one is a folder to the other"


@pytest.mark.parametrize(
    ("one", "other"),
    [("FOO.py", "foo.py"), ("É", "é"), ("é", "e\u0301"), ("ß", "SS"), ("\u1e9e/x", "ss/X")],
)
def test_tells_names_that_are_one_file_on_some_systems(one: str, other: str) -> None:
    assert colliding([one, "between", other]) == [(other, one, ONE_FILE)]


def test_tells_each_name_that_is_the_file_of_the_first() -> None:
    assert colliding(["a", "A", "á", "Á"]) == [("A", "a", ONE_FILE), ("Á", "á", ONE_FILE)]


@pytest.mark.parametrize("inside", ["x/y.py", "X/y.py", "x/y/z.py", "X/Y/Z.py"])
@pytest.mark.parametrize("file_first", [True, False])
def test_tells_file_that_is_a_folder_to_another(inside: str, *, file_first: bool) -> None:
    paths = ["x", inside] if file_first else [inside, "x"]
    assert colliding(paths) == [("x", inside, FOLDER_TOO)]


def test_tells_only_the_first_file_in_a_folder_that_is_a_file() -> None:
    assert colliding(["x/a.py", "x/b.py", "x/c/d.py", "x"]) == [("x", "x/a.py", FOLDER_TOO)]


@pytest.mark.parametrize("file", ["a", "a/b", "a/b/c", "a/b/c/d"])
def test_file_is_no_folder_above_another_at_any_depth(file: str) -> None:
    assert colliding(["a/b/c/d/e.py", file]) == [(file, "a/b/c/d/e.py", FOLDER_TOO)]


def test_names_that_begin_alike_do_not_collide() -> None:
    assert colliding(["foo", "foo.py", "foobar/x", "bar/foo", "bar/foo.py/x"]) == []


def test_path_that_comes_twice_is_no_collision() -> None:
    assert colliding(["foo/bar", "foo/bar"]) == []
