"""Wheels whose content is hostile: RECORD, .dist-info, .data, entry points, several wheels."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from support.making.wheels import TinyWheel, make_wheel, record_row, zip_bytes
from vectors.good_wheel import FILE_NAME, INFO, MODULE, contents
from vectors.records import RECORD_CONTROLS, RECORDS
from vectors.vector import WheelVector
from vectors.zips import zip_vectors

_LIBRARY = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def _with(files: Mapping[str, bytes]) -> Callable[[], tuple[TinyWheel, ...]]:
    return lambda: (make_wheel("foo", files={"foo.py": MODULE, **files}),)


def _scripts(text: str) -> Callable[[], tuple[TinyWheel, ...]]:
    return lambda: (make_wheel("foo", files={"foo.py": MODULE}, entry_points=text),)


def _console(line: str) -> Callable[[], tuple[TinyWheel, ...]]:
    return _scripts(f"[console_scripts]\n{line}\n")


def _metadata(text: str | None, name: str = "METADATA") -> Callable[[], tuple[TinyWheel, ...]]:
    """Return a wheel with another METADATA or WHEEL, or without, and a RECORD that agrees."""

    def make() -> tuple[TinyWheel, ...]:
        files = contents()
        del files[f"{INFO}/RECORD"], files[f"{INFO}/{name}"]
        if text is not None:
            files[f"{INFO}/{name}"] = text.encode()
        rows = "".join(record_row(path, data) for path, data in files.items())
        files[f"{INFO}/RECORD"] = f"{rows}{INFO}/RECORD,,\n".encode()
        return (TinyWheel(file_name=FILE_NAME, data=zip_bytes(files)),)

    return make


def _renamed(info: str) -> Callable[[], tuple[TinyWheel, ...]]:
    """Return a wheel whose .dist-info has another name, throughout."""

    def make() -> tuple[TinyWheel, ...]:
        files = {
            path.replace(INFO, info): data.replace(INFO.encode(), info.encode())
            for path, data in contents().items()
        }
        return (TinyWheel(file_name=FILE_NAME, data=zip_bytes(files)),)

    return make


def _nested_interpolation() -> str:
    lines = "".join(f"a{n} = %(a{n + 1})s%(a{n + 1})s\n" for n in range(40))
    return f"[console_scripts]\n{lines}a40 = x\n"


NAMES = {
    "parent": ("../x", "is not a plain relative path"),
    "parent-inside": ("foo/../../x", "is not a plain relative path"),
    "absolute": ("/wheelferry-x", "is an absolute path"),
    "absolute-twice": ("//wheelferry-x", "is an absolute path"),
    "drive": ("C:x", "must not have"),
    "drive-and-root": ("C:/x", "must not have"),
    "stream": ("foo/x.py:evil", "must not have"),
    "current": ("./x", "is not a plain relative path"),
    "current-inside": ("foo/./x", "is not a plain relative path"),
    "empty-part": ("a//b", "is not a plain relative path"),
    "backslash": ("a\\b", "must not have"),
    "backslash-parent": ("..\\x", "must not have"),
    "unc": ("\\\\host\\share", "must not have"),
    "newline": ("foo/x\ny", "must not have"),
    "carriage-return": ("foo/x\ry", "must not have"),
    "escape": ("foo/\x1b[2Jx", "must not have"),
    "bell": ("foo/\x07x", "must not have"),
    "delete": ("foo/\x7fx", "must not have"),
    "c1-control": ("foo/\x9bx", "must not have"),
}
DIST_INFOS: dict[str, tuple[str, Callable[[], Sequence[TinyWheel]]]] = {
    "none": (
        "0 .dist-info folders",
        lambda: (TinyWheel(file_name=FILE_NAME, data=zip_bytes({"foo.py": MODULE})),),
    ),
    "two": ("2 .dist-info folders", _with({"bar-1.0.dist-info/METADATA": b"Name: bar\n"})),
    "other-name": ("is not that of this wheel", _renamed("bar-1.0.dist-info")),
    "other-version": ("is not that of this wheel", _renamed("foo-2.0.dist-info")),
    "no-version": ("is not that of this wheel", _renamed("foo.dist-info")),
    "a-file": (
        "RECORD is missing",
        lambda: (TinyWheel(file_name=FILE_NAME, data=zip_bytes({INFO: b""})),),
    ),
    "metadata-missing": ("METADATA is missing", _metadata(None)),
    "metadata-empty": ("METADATA does not state", _metadata("")),
    "metadata-other-name": ("METADATA does not state", _metadata("Name: bar\nVersion: 1.0\n")),
    "metadata-other-version": ("METADATA does not state", _metadata("Name: foo\nVersion: 2.0\n")),
    "metadata-two-names": (
        "METADATA does not state",
        _metadata("Name: foo\nName: bar\nVersion: 1.0\n"),
    ),
    "metadata-in-description": (
        "METADATA does not state",
        _metadata("\nName: foo\nVersion: 1.0\n"),
    ),
    "wheel-missing": ("WHEEL is missing", _metadata(None, "WHEEL")),
    "wheel-version-2": (
        "WHEEL states no version that is known",
        _metadata("Wheel-Version: 2.0\nRoot-Is-Purelib: true\n", "WHEEL"),
    ),
    "wheel-without-version": (
        "WHEEL states no version that is known",
        _metadata("Root-Is-Purelib: true\n", "WHEEL"),
    ),
    "wheel-too-large": ("WHEEL is larger than", _metadata("A: b\n" * 2**18, "WHEEL")),
}
_DATA = "foo-1.0.data"
DATA: dict[str, tuple[str, Callable[[], Sequence[TinyWheel]]]] = {
    "a-file": ("is a file, not a folder", _with({_DATA: b"x"})),
    "evil-folder": ("is in no folder that .data may have", _with({f"{_DATA}/evil/x": b"x"})),
    "file-in-it": ("is in no folder that .data may have", _with({f"{_DATA}/x": b"x"})),
    "scripts-outside": (
        "is not a plain relative path",
        _with({f"{_DATA}/scripts/../../x": b"x"}),
    ),
    "scripts-below": ("is not the name of a script", _with({f"{_DATA}/scripts/a/b": b"x"})),
    "scripts-python": ("belongs to the environment", _with({f"{_DATA}/scripts/python": b"x"})),
    "scripts-activate": ("belongs to the environment", _with({f"{_DATA}/scripts/activate": b"x"})),
    **{
        f"steers-{path.replace('/', '-').replace('.', '-').lower()}": (
            "would change how the Python",
            _with({f"{_DATA}/{path}": b"home = /usr/bin\n"}),
        )
        for path in (
            *("data/pyvenv.cfg", "data/Pyvenv.cfg/x", "data/pyvenv.cfg."),
            *("scripts/pyvenv.cfg", "scripts/PyVenv.CFG", "data/bin/pyvenv.cfg"),
            *("data/Scripts/pyvenv.cfg", "data/SCRIPTS/pyvenv.cfg", "data/\u017fcripts/pyvenv.cfg"),
            *("scripts/python311._pth", "data/Scripts/python._pth", "data/python311._pth"),
            *("scripts/python311.dll", "scripts/python3.dll", "scripts/vcruntime140.dll"),
            *("data/Scripts/vcruntime140_1.dll", "data/VCRUNTIME140.dll", "scripts/version.dll"),
            *("scripts/pybuilddir.txt", "data/bin/pybuilddir.txt", "data/bin/Modules/Setup.local"),
            *("data/lib/python311.zip", "scripts/python313t.zip", "data/python312.zip"),
        )
    },
    "bin-python": ("belongs to the environment", _with({f"{_DATA}/data/bin/python": MODULE})),
    "bin-python3": ("belongs to the environment", _with({f"{_DATA}/data/bin/python3": MODULE})),
    **{
        f"own-{path.replace('/', '-').lower()}": (
            "belongs to the environment",
            _with({f"{_DATA}/{path}": b"x"}),
        )
        for path in (
            *("scripts/python3.13t", "scripts/Python.exe.local", "data/Scripts/pythonw.exe"),
            *(
                "data/python.exe",
                "data/Scripts/python_d.exe",
                "data/bin/python./x",
                "scripts/pypy3",
            ),
        )
    },
    "bin-activate": ("belongs to the environment", _with({f"{_DATA}/data/bin/activate": b"x"})),
    "receipt": (
        "belongs to the environment",
        _with({f"{_DATA}/data/wheelferry/receipt.json": b"{}"}),
    ),
    "another-dist-info": (
        "brings another .dist-info",
        _with({f"{_DATA}/purelib/bar-1.0.dist-info/METADATA": b"Name: bar\n"}),
    ),
    "another-dist-info-by-data": (
        "brings another .dist-info",
        _with({f"{_DATA}/data/{_LIBRARY}/bar-1.0.dist-info/METADATA": b"Name: bar\n"}),
    ),
    "own-dist-info": (
        "brings another .dist-info",
        _with({f"{_DATA}/platlib/{INFO}/INSTALLER": b"x"}),
    ),
}
SCRIPTS: dict[str, tuple[str, Callable[[], Sequence[TinyWheel]]]] = {
    "outside": ("is not the name of a script", _console("../x = foo:main")),
    "below": ("is not the name of a script", _console("a/b = foo:main")),
    "absolute": ("is not the name of a script", _console("/bin/sh = foo:main")),
    "backslash": ("is not the name of a script", _console("a\\b = foo:main")),
    "colon": ("'x:y' is not the name of a script", _console("x:y = foo:main")),
    "hidden": ("is not the name of a script", _console(".profile = foo:main")),
    "option": ("is not the name of a script", _console("-rf = foo:main")),
    "escape": ("is not the name of a script", _console("x\x1b[2J = foo:main")),
    "python3": ("belongs to the environment", _console("python3 = foo:main")),
    "python-of-windows": ("belongs to the environment", _console("Python.exe = foo:main")),
    "pyvenv-cfg": ("would change how", _console("pyvenv.cfg = foo:main")),
    "library-of-windows": ("would change how", _console("vcruntime140.dll = foo:main")),
    "activate": ("belongs to the environment", _console("activate = foo:main")),
    "activate-of-fish": ("belongs to the environment", _console("activate.fish = foo:main")),
    "gui": ("is not the name of a script", _scripts("[gui_scripts]\n../x = foo:main\n")),
    "call": ("does not name a function", _console("x = foo:main()")),
    "statement": ("does not name a function", _console("x = foo:main; import os")),
    "lines": ("does not name a function", _console("x = foo:main\n  import os")),
    "no-function": ("does not name a function", _console("x = foo")),
    "nested-interpolation": ("does not name a function", _scripts(_nested_interpolation())),
    "interpolation-in-extra": ("does not name a function", _console("x = foo:main [%(x)s]")),
    "default-section": (
        "has a section DEFAULT",
        _scripts("[DEFAULT]\ny = foo:main\n[console_scripts]\nx = foo:main\n"),
    ),
    "twice": ("cannot be read", _console("x = foo:main\nx = foo:other")),
    "section-twice": ("cannot be read", _console("x = foo:main\n[console_scripts]")),
    "no-section": ("cannot be read", _scripts("x = foo:main\n")),
    "not-utf8": ("is not UTF-8", _with({f"{INFO}/entry_points.txt": b"\xff"})),
    "too-large": ("is larger than", _scripts("[x]\n" + "#" * 2**20)),
}


def _two(first: Mapping[str, bytes], second: Mapping[str, bytes]) -> Sequence[TinyWheel]:
    return (
        make_wheel("victim", files={"victim/__init__.py": b"", **first}),
        make_wheel("foo", files={"foo.py": MODULE, **second}),
    )


SEVERAL: dict[str, tuple[str, Callable[[], Sequence[TinyWheel]]]] = {
    "same-path": (
        "already exists with different content",
        lambda: _two({"shared.py": b"one"}, {"shared.py": b"two"}),
    ),
    "same-path-by-purelib": (
        "already exists with different content",
        lambda: _two({}, {f"{_DATA}/purelib/victim/__init__.py": MODULE}),
    ),
    "same-path-by-data": (
        "already exists with different content",
        lambda: _two({}, {f"{_DATA}/data/{_LIBRARY}/victim/__init__.py": MODULE}),
    ),
    "same-script": (
        "already exists with different content",
        lambda: (
            make_wheel("victim", entry_points="[console_scripts]\nrun = victim:main\n"),
            make_wheel("foo", entry_points="[console_scripts]\nrun = foo:main\n"),
        ),
    ),
    "letter-case": (
        "are one file on some file systems",
        lambda: _two({"shared/Name.py": b"one"}, {"shared/name.py": b"one"}),
    ),
    "normalization": (
        "are one file on some file systems",
        lambda: _two({"shared/\xe9.py": b"one"}, {"shared/e\u0301.py": b"one"}),
    ),
    # Which of the two is written first decides what is said.
    "file-and-folder": (
        "site-packages/shared",
        lambda: _two({"shared": b"one"}, {"shared/name.py": b"two"}),
    ),
}
ALONE: dict[str, tuple[str, Callable[[], Sequence[TinyWheel]]]] = {
    "letter-case": ("are one file on", _with({"foo/Name.py": b"", "foo/name.py": b""})),
    "letter-case-of-folder": ("are one file on", _with({"foo/Bar/x": b"", "foo/bar/x": b""})),
    "normalization": ("are one file on", _with({"foo/\xe9.py": b"", "foo/e\u0301.py": b""})),
    "sharp-s": ("are one file on", _with({"foo/stra\xdfe": b"", "foo/STRASSE": b""})),
    "file-and-folder": (
        "'foo/x' and 'foo/x/y' cannot both be there: one is a folder to the other",
        _with({"foo/x": b"", "foo/x/y": b""}),
    ),
    "file-and-folder-of-folders": (
        "'foo/x' and 'foo/x/y/z/z' cannot both be there: one is a folder to the other",
        _with({"foo/x": b"", "foo/x/y/z/z": b""}),
    ),
}
CONTROLS: dict[str, Callable[[], Sequence[TinyWheel]]] = {
    "data-share": _with({f"{_DATA}/data/share/man/man1/foo.1": b"x"}),
    "data-named-like-pythons": _with(
        {
            f"{_DATA}/scripts/python-config": b"x",
            f"{_DATA}/scripts/activate-global-python-argcomplete": b"x",
            f"{_DATA}/data/share/pyvenv.cfg": b"x",
            f"{_DATA}/data/Library/bin/mkl_rt.dll": b"x",
            f"{_DATA}/data/lib/data.zip": b"x",
            f"{_DATA}/data/python/readme": b"x",
            "foo/pyvenv.cfg": b"x",
            "foo/vcruntime140.dll": b"x",
        }
    ),
    "data-elsewhere": _with({f"{_DATA}/data/bin/tool": b"x", f"{_DATA}/platlib/foo.so": b"x"}),
    "headers": _with({f"{_DATA}/headers/foo.h": b"x"}),
    "script": _with({f"{_DATA}/scripts/foo": b"#!python\n"}),
    # setuptools 0.9.8 was published like that.
    "script-and-entry-point": lambda: (
        make_wheel(
            "foo",
            files={"foo.py": MODULE, f"{_DATA}/scripts/run": b"#!python\nold"},
            entry_points="[console_scripts]\nrun = foo:main\n",
        ),
    ),
    "startup": _with({"foo.pth": b"import foo\n", "sitecustomize.py": MODULE}),
    "namespace-packages": lambda: (
        make_wheel("space-one", files={"space/one/__init__.py": b""}),
        make_wheel("space-two", files={"space/two/__init__.py": b""}),
    ),
    "same-path-same-bytes": lambda: _two({"shared.py": b"same"}, {"shared.py": b"same"}),
    "file-name-of-104-characters": lambda: (make_wheel("a" * 80 + "-" + "b" * 4),),
    "file-name-part-of-255-bytes": _with({"foo/" + "a" * 255: b"x", "b" * 255: b"x"}),
    "other-scripts": _with({"foo/žluťoučký 馬.txt": b"x", "foo/with space.txt": b"x"}),
    **RECORD_CONTROLS,
    "entry-points": _scripts(
        "[console_scripts]\nfoo = foo:main\nfoo3.12 = foo.sub : Class.main [extra]\n"
        "[pytest11]\n../x = 100% %(y)s\n"
    ),
    "metadata-spelled-otherwise": _metadata("Name: Foo\nVersion: 1.0.0\n\nName: bar\n"),
}


def wheel_vectors() -> list[WheelVector]:
    """Return all vectors of wheels, those of `zips` included."""
    seen_late = ("wrong-hash", "wrong-hash-sha512", "wrong-hash-in-hex", "wrong-hash-of-big-file")
    both, late = ("verify", "install"), ("install",)
    return [
        *zip_vectors(),
        *(
            WheelVector(name=f"name-{name}", words=words, wheels=_with({path: b"x"}))
            for name, (path, words) in NAMES.items()
        ),
        *(
            WheelVector(
                name=f"{family}-{name}",
                words=words,
                wheels=make,
                seen_by=late if is_late or name in seen_late else both,
            )
            for family, vectors, is_late in (
                ("record", RECORDS, False),
                ("dist-info", DIST_INFOS, False),
                ("data", DATA, False),
                ("script", SCRIPTS, False),
                ("collision", ALONE, False),
                ("several", SEVERAL, True),
            )
            for name, (words, make) in vectors.items()
        ),
        *(
            WheelVector(name=f"control-{name}", code=0, words="", wheels=make)
            for name, make in CONTROLS.items()
        ),
    ]
