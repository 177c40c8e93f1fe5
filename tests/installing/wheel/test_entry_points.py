import pytest

from support.making.foo_wheel import (
    INFO,
    WHEEL,
    read_wheel,
    refusal_of,
    with_files,
)
from support.making.wheels import TinyWheel, make_wheel
from wheelferry_installer.wheel import verified_wheel

# .data


@pytest.mark.parametrize(
    "path",
    [
        "scripts/tool",
        "data/share/man/man1/tool.1",
        "headers/foo.h",
        "headers/sub/foo.h",
        "purelib/x.py",
        "platlib/x.so",
    ],
)
def test_takes_the_folders_that_data_may_have(path: str) -> None:
    assert f"foo-1.0.data/{path}" in read_wheel(with_files({f"foo-1.0.data/{path}": b"x"}))


@pytest.mark.parametrize("path", ["file", "include/foo.h", "Scripts/x", "stdlib/os.py", "scripts"])
def test_refuses_other_folders_in_data(path: str) -> None:
    said = refusal_of(with_files({f"foo-1.0.data/{path}": b"x"}))
    assert f"'foo-1.0.data/{path}' is in no folder that .data may have" in said


def test_refuses_file_called_data() -> None:
    said = refusal_of(with_files({"foo-1.0.data": b"x"}))
    assert "'foo-1.0.data' is a file, not a folder" in said


@pytest.mark.parametrize("name", ["sub/tool", "-rf", ".hidden", "a;b", "a$b", "a`b", "ünder", "a*"])
def test_refuses_script_file_of_odd_name(name: str) -> None:
    said = refusal_of(with_files({f"foo-1.0.data/scripts/{name}": b"x"}))
    assert f"'foo-1.0.data/scripts/{name}' is not the name of a script" in said


@pytest.mark.parametrize("name", ["foo-1.0.data2/x", "foo-2.0.data/file", "foo-1.0.database"])
def test_other_names_that_look_like_data_are_plain_files(name: str) -> None:
    assert name in read_wheel(with_files({name: b"x"}))


@pytest.mark.parametrize("name", ["pyvenv.cfg", "python311._pth", "x.dll", "pybuilddir.txt"])
@pytest.mark.parametrize("folder", ["scripts", "data", "data/bin", "data/Scripts"])
def test_refuses_what_an_interpreter_obeys(folder: str, name: str) -> None:
    for spelled in (name, name.upper(), f"{name}."):
        said = refusal_of(with_files({f"foo-1.0.data/{folder}/{spelled}": b"x"}))
        assert "would change how the Python that it lies beside starts" in said


@pytest.mark.parametrize(
    "path", ["share/pyvenv.cfg", "Library/bin/x.dll", "lib/x.zip", "lib/x/python312.zip", "python"]
)
def test_takes_the_same_names_where_no_interpreter_lies(path: str) -> None:
    assert read_wheel(with_files({f"foo-1.0.data/data/{path}": b"x"}))


# Entry points.


def _entry_points(text: str) -> TinyWheel:
    return make_wheel("foo", entry_points=text)


@pytest.mark.parametrize("section", ["console_scripts", "gui_scripts"])
@pytest.mark.parametrize(
    "name", ["../x", "a/b", "/bin/sh", "..", ".x", "-x", "a\\b", "a;b", "%(x)s", "a\x1bb", "ünder"]
)
def test_refuses_entry_point_that_is_not_the_name_of_a_script(section: str, name: str) -> None:
    said = refusal_of(_entry_points(f"[{section}]\n{name} = foo:main\n"))
    assert f"entry point {name!r} is not the name of a script" in said


@pytest.mark.parametrize(
    "name", ["foo", "foo-bar", "foo.py", "foo3.12", "foo bar", "c++filt", "_x"]
)
def test_takes_names_of_scripts(name: str) -> None:
    assert read_wheel(_entry_points(f"[console_scripts]\n{name} = foo:main\n"))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "foo",
        "foo:",
        ":main",
        "foo:main()",
        "foo:main; import os",
        "foo:main as x",
        "foo-bar:main",
        "foo:main\n  import os",
        "foo:%(x)s",
        "%(x)s:main",
        "foo:main [%(x)s]",
        "foo:main [100%]",
        "foo:main [%%]",
        "foo:main [extra] # comment",
    ],
)
def test_refuses_entry_point_that_does_not_name_a_function(value: str) -> None:
    said = refusal_of(_entry_points(f"[console_scripts]\ntool = {value}\n"))
    assert "entry point 'tool' does not name a function" in said


@pytest.mark.parametrize(
    "value", ["foo:main", "foo.bar:Class.method", "foo : main", "foo:main [extra]", "föö:main"]
)
def test_takes_references_to_functions(value: str) -> None:
    assert read_wheel(_entry_points(f"[console_scripts]\ntool = {value}\n"))


def test_refuses_defaults_for_entry_points() -> None:
    text = "[DEFAULT]\nevil = foo:main\n[console_scripts]\ntool = foo:main\n"
    assert "entry_points.txt has a section DEFAULT" in refusal_of(_entry_points(text))


@pytest.mark.parametrize(
    "text",
    [
        "tool = foo:main\n",
        "[console_scripts]\ntool\n",
        "[console_scripts]\ntool = foo:main\ntool = foo:other\n",
        "[console_scripts]\n[console_scripts]\n",
        "[console_scripts\ntool = foo:main\n",
    ],
)
def test_refuses_entry_points_that_cannot_be_read(text: str) -> None:
    assert "entry_points.txt cannot be read" in refusal_of(_entry_points(text))


def test_refuses_entry_points_that_are_not_utf8() -> None:
    wheel = with_files({f"{INFO}/entry_points.txt": b"\xff"})
    assert "entry_points.txt is not UTF-8" in refusal_of(wheel)


def test_other_groups_of_entry_points_may_hold_anything() -> None:
    assert read_wheel(_entry_points("[pytest11]\n../x = 100% [of it]\n%(y)s = %(z)s\n"))


def test_metadata_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified_wheel, "_MAX_METADATA", 100)
    assert "RECORD is larger than 100 bytes" in refusal_of(WHEEL)
