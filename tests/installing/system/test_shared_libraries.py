"""What is told where a compiled module cannot be loaded, for lack of a library of the host."""

from collections.abc import Callable
from typing import NoReturn

import pytest

from support.running.command import Ran
from wheelferry_installer import cli
from wheelferry_installer.system.shared_libraries import unfit_host

RUST = "/opt/x/cryptography/hazmat/bindings/_rust.abi3.so"
NAME = "_rust"


def load_error(text: str, path: str | None = RUST) -> ImportError:
    return ImportError(text, name=NAME, path=path)


@pytest.mark.parametrize(
    "text",
    [
        "libgcc_s.so.1: cannot open shared object file: No such file or directory",
        f"Error loading shared library libgcc_s.so.1: No such file or directory (needed by {RUST})",
    ],
    ids=["glibc", "musl"],
)
def test_names_the_library_and_what_brings_it(text: str) -> None:
    told = unfit_host(load_error(text))
    assert told is not None
    assert told.message == "this host has no libgcc_s.so.1, which cryptography needs to be loaded"
    assert told.hint is not None
    assert "libgcc-s1" in told.hint


def test_names_a_library_that_is_not_known() -> None:
    told = unfit_host(
        load_error(
            "dlopen(x.so, 2): Library not loaded: @rpath/libz.1.dylib\n  Reason: no such file"
        )
    )
    assert told is not None
    assert (
        told.message
        == "this host has no @rpath/libz.1.dylib, which cryptography needs to be loaded"
    )
    assert told.hint is not None
    assert told.hint.startswith("install the package that brings it")


@pytest.mark.parametrize(
    "text",
    [
        "/lib/libc.so.6: version `GLIBC_2.34' not found (required by _rust.abi3.so)",
        "/opt/x/_rust.abi3.so: wrong ELF class: ELFCLASS64",
        "DLL load failed while importing _rust: The specified module could not be found.",
    ],
)
def test_quotes_other_reasons(text: str) -> None:
    told = unfit_host(load_error(text))
    assert told is not None
    assert told.message == f"cryptography cannot be loaded on this host: {text}"


@pytest.mark.parametrize(
    ("path", "name", "module"),
    [
        ("C:\\x\\zstandard\\backend_c.pyd", "backend_c", "zstandard"),
        ("/opt/other/_x.so", "other._x", "other._x"),
        ("/opt/other/_x.so", None, "_x.so"),
    ],
)
def test_names_the_package_that_is_compiled(path: str, name: str | None, module: str) -> None:
    told = unfit_host(ImportError("broken", name=name, path=path))
    assert told is not None
    assert told.message == f"{module} cannot be loaded on this host: broken"


@pytest.mark.parametrize(
    "error",
    [
        ImportError("cannot import name 'x' from 'y'", name="y", path="/opt/x/y.py"),
        ImportError("no reason"),
        ModuleNotFoundError("No module named 'x'", name="x", path="/opt/x.so"),
    ],
)
def test_other_import_errors_are_not_the_hosts(error: ImportError) -> None:
    assert unfit_host(error) is None


def test_command_ends_with_exit_code_5(
    main: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> NoReturn:
        raise load_error("libgcc_s.so.1: cannot open shared object file: No such file")

    monkeypatch.setattr(cli.bundle, "main", fail)
    ran = main("verify", "x")
    assert ran.code == 5
    assert ran.err.startswith("error: this host has no libgcc_s.so.1, which cryptography needs")
    assert "hint: install on Debian and Ubuntu libgcc-s1, elsewhere libgcc, with" in ran.err
