import dataclasses
from collections.abc import Iterator, Sequence

import pytest

from support.making.bundles import make_manifest
from support.making.projects import compiled
from support.making.wheels import TinyWheel, make_wheel
from support.running.hosts import interpreter, target
from wheelferry_installer.plan.fitting import Fit, fit
from wheelferry_installer.plan.interpreter import Interpreter
from wheelferry_schemas.errors import UnfitError
from wheelferry_schemas.target import Target

LINUX = target()
PURE = make_wheel("pure")


def _numpy(*platforms: str, python: str = "cp312") -> list[TinyWheel]:
    return compiled("numpy", "2.1.0", *platforms, python=python)


def _fit(targets: Sequence[Target], wheels: Sequence[TinyWheel], *interpreters: Interpreter) -> Fit:
    return fit(make_manifest(wheels, targets), interpreters)


def _refusal(
    targets: Sequence[Target], wheels: Sequence[TinyWheel], *interpreters: Interpreter
) -> UnfitError:
    with pytest.raises(UnfitError) as caught:
        _fit(targets, wheels, *interpreters)
    return caught.value


def test_target_fits_the_host_that_it_was_made_for() -> None:
    here = interpreter()
    found = _fit([LINUX], [PURE, *_numpy("manylinux_2_28_x86_64")], here)
    assert (found.target, found.interpreter) == (LINUX, here)
    assert [package.name for package in found.packages] == ["numpy", "pure"]


@pytest.mark.parametrize(
    "here",
    [
        interpreter("manylinux_2_39_x86_64"),
        interpreter(python="3.12.0"),
        interpreter(python_full_version="3.12.11+", python="3.12.11"),
        interpreter(python_full_version="3.12.0rc1", python="3.12.0"),
    ],
    ids=["newer glibc", "older patch release", "built from source", "release candidate"],
)
def test_target_fits_neighbouring_hosts(here: Interpreter) -> None:
    assert _fit([LINUX], _numpy("manylinux_2_28_x86_64"), here).target == LINUX


def test_takes_the_packages_of_its_target_only() -> None:
    windows = target("win_amd64")
    wheels = [PURE, *_numpy("manylinux_2_28_x86_64", "win_amd64")]
    found = _fit([LINUX, windows], wheels, interpreter())
    assert [package.wheel for package in found.packages] == [
        "numpy-2.1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
        "pure-1.0-py3-none-any.whl",
    ]


def test_packages_without_compiled_code_fit_an_older_libc_too() -> None:
    here = interpreter("manylinux_2_17_x86_64", libc="glibc 2.17")
    assert _fit([LINUX], [PURE], here).target == LINUX


@pytest.mark.parametrize(
    ("made_for", "here"), [("3.11", "3.12.4"), ("3.13", "3.12.4")], ids=["too new", "too old"]
)
def test_refuses_interpreter_of_another_minor_version(made_for: str, here: str) -> None:
    error = _refusal([target(python=made_for)], [PURE], interpreter(python=here))
    assert error.exit_code == 5
    assert error.message == "nothing in the bundle fits CPython 3.12.4 on x86_64, glibc 2.28"
    assert error.details == (
        f"{target(python=made_for).id}: made for Python {made_for}, this host has 3.12.4",
    )
    assert error.hint == (
        f"if this host has Python {made_for}, pass --python with its path; else ask for a bundle "
        "made with --python 3.12"
    )


@pytest.mark.parametrize(
    ("requires_python", "wanted"),
    [
        ("==3.12.1", "3.12.1"),
        ("==3.12.*,>=3.12.5", "3.12.5 and later"),
        ("<3.12.3,==3.12.*", "before 3.12.3"),
        ("!=3.12.4,==3.12.*", "!=3.12.4"),
        ("!=3.12.4,==3.12.*,>=3.12.1", "!=3.12.4, >=3.12.1"),
    ],
)
def test_refuses_another_patch_release_and_names_the_one_to_ask_for(
    requires_python: str, wanted: str
) -> None:
    narrowed = LINUX.replaced(requires_python=requires_python)
    error = _refusal([narrowed], [PURE], interpreter(python="3.12.4"))
    assert error.details == (f"{LINUX.id}: made for Python {wanted}, this host has 3.12.4",)
    assert error.hint == "ask for a bundle made with --python 3.12.4"


def test_names_platform_and_patch_release_where_neither_fits() -> None:
    narrowed = target("win_amd64").replaced(requires_python="==3.12.*,>=3.12.5")
    error = _refusal([narrowed], [PURE], interpreter(python="3.12.4"))
    assert error.hint == (
        "ask for a bundle made with --platform manylinux_2_28_x86_64 --python 3.12.4"
    )


def test_target_fits_every_patch_release_that_it_was_chosen_for() -> None:
    narrowed = LINUX.replaced(requires_python="==3.12.*,>=3.12.3")
    assert _fit([narrowed], [PURE], interpreter(python="3.12.3")).target == narrowed


def test_refuses_another_architecture() -> None:
    error = _refusal([target("manylinux_2_28_aarch64")], [PURE], interpreter())
    assert (
        "made for another processor architecture: aarch64, this host has x86_64" in error.details[0]
    )
    assert error.hint == "ask for a bundle made with --platform manylinux_2_28_x86_64"


def test_advice_names_the_libc_even_where_plain_linux_comes_first() -> None:
    here = interpreter()
    tags = ["cp312-cp312-linux_x86_64", *here.tags]
    here = dataclasses.replace(here, tags={tag: rank for rank, tag in enumerate(tags)})
    error = _refusal([target("win_amd64")], [PURE], here)
    assert error.hint == "ask for a bundle made with --platform manylinux_2_28_x86_64"


def test_refuses_another_operating_system() -> None:
    error = _refusal([target("win_amd64")], [PURE], interpreter())
    assert "made for another operating system: win32, this host has linux" in error.details[0]


def test_refuses_another_implementation() -> None:
    error = _refusal([LINUX], [PURE], interpreter(implementation_name="pypy"))
    assert (
        "made for another implementation of Python: cpython, this host has pypy" in error.details[0]
    )


def test_refuses_older_libc_and_names_the_wheels() -> None:
    here = interpreter("manylinux_2_17_x86_64", libc="glibc 2.17")
    error = _refusal([LINUX], [PURE, *_numpy("manylinux_2_28_x86_64")], here)
    wheel = "numpy-2.1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    said = f"{LINUX.id}: does not run here (this host has glibc 2.17): {wheel}"
    assert error.details == (said,)
    assert error.hint == "ask for a bundle made with --platform manylinux_2_17_x86_64"


def test_refuses_another_libc() -> None:
    musl = target("musllinux_1_2_x86_64")
    error = _refusal([musl], _numpy("musllinux_1_2_x86_64"), interpreter())
    assert "does not run here (this host has glibc 2.28): numpy" in error.details[0]


def test_refuses_free_threaded_build_on_a_plain_interpreter() -> None:
    threaded = target(python="3.13t")
    wheels = [make_wheel("numpy", tag="cp313-cp313t-manylinux_2_28_x86_64", pure=False)]
    error = _refusal([threaded], wheels, interpreter(python="3.13.1"))
    assert "does not run here" in error.details[0]


def test_names_a_few_of_many_wheels_that_do_not_run_here() -> None:
    wheels = [
        wheel for name in "abcdef" for wheel in compiled(name, "1.0", "manylinux_2_28_x86_64")
    ]
    here = interpreter("manylinux_2_17_x86_64")
    assert _refusal([LINUX], wheels, here).details[0].endswith(".whl and 2 more")


def test_names_every_reason_of_every_target() -> None:
    targets = [target("win_amd64", "3.11"), target("manylinux_2_28_aarch64")]
    error = _refusal(targets, [PURE], interpreter())
    assert len(error.details) == 2
    windows = next(detail for detail in error.details if "win_amd64" in detail)
    assert "win32" in windows
    assert "AMD64" in windows
    assert "Python 3.11" in windows


@pytest.mark.parametrize(
    ("here", "best"),
    [
        ("manylinux_2_39_x86_64", "manylinux_2_28_x86_64"),
        ("manylinux_2_28_x86_64", "manylinux_2_28_x86_64"),
        ("manylinux_2_17_x86_64", "manylinux_2_17_x86_64"),
    ],
)
def test_takes_the_newest_of_several_targets_that_fit(here: str, best: str) -> None:
    platforms = ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "manylinux_2_40_x86_64")
    wheels = [
        *compiled("old", "1.0", "manylinux_2_17_x86_64"),
        *compiled("mid", "1.0", "manylinux_2_28_x86_64"),
        *compiled("new", "1.0", "manylinux_2_40_x86_64"),
    ]
    found = _fit([target(platform) for platform in platforms], wheels, interpreter(here))
    assert found.target == target(best)


def test_takes_the_first_interpreter_that_fits() -> None:
    first, second = interpreter(python="3.11.2"), interpreter(python="3.12.4")
    assert _fit([LINUX], [PURE], first, second).interpreter == second
    both = [LINUX, target(python="3.11")]
    assert _fit(both, [PURE], first, second).interpreter == first


def test_does_not_ask_for_an_interpreter_more_than_it_needs() -> None:
    asked = []

    def interpreters() -> Iterator[Interpreter]:
        for minor in (11, 12, 13):
            asked.append(minor)
            yield interpreter(python=f"3.{minor}.1")

    fit(make_manifest([PURE], [LINUX]), interpreters())
    assert asked == [11, 12]


def test_speaks_of_the_first_interpreter_that_it_asked() -> None:
    error = _refusal([LINUX], [PURE], interpreter(python="3.10.1"), interpreter(python="3.11.2"))
    assert "CPython 3.10.1" in error.message
    assert [detail.rpartition(" ")[2] for detail in error.details] == ["3.10.1", "3.11.2"]
