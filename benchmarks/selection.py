"""Measures how long choosing takes: `python -m benchmarks.selection`.

The lock has 400 packages with 17 wheels each, as those of compiled packages on PyPI have them, and
edges with the markers of real locks. What is measured is CPU time: of reading the lock and
selecting in one process, and of the whole command `bundle create --dry-run --json`.
"""

from __future__ import annotations

import argparse
import functools
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import records, report
from benchmarks.records import Selecting, Selections
from benchmarks.surroundings import circumstances, compile_sources, own_variables
from wheelferry_bundler.model.wanted import Wanted
from wheelferry_bundler.read.pyproject import Pyproject
from wheelferry_bundler.read.targets import make_targets
from wheelferry_bundler.read.uv_lock import read_uv_lock
from wheelferry_bundler.select.selection import select

_PACKAGES = 400
_FEW = 40
_ROUNDS = 3
_INDEX = "https://index.example/simple"
_PLATFORMS = (
    "manylinux_2_28_x86_64",
    "manylinux2014_aarch64",
    "musllinux_1_2_x86_64",
    "macosx_13_0_arm64",
    "win_amd64",
)
_PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
_WHEELS = (
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "manylinux_2_17_aarch64.manylinux2014_aarch64",
    "musllinux_1_2_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
)
_MARKERS = (
    None,
    "python_full_version < '3.11'",
    "sys_platform == 'win32'",
    "platform_machine != 's390x' and sys_platform != 'emscripten'",
    "python_full_version >= '3.12' and platform_python_implementation != 'PyPy'",
    "(platform_machine == 'aarch64' and sys_platform == 'linux') or sys_platform == 'darwin'",
)


@dataclass(frozen=True, slots=True)
class Case:
    """What to select for, and how much CPU time is promised for it."""

    name: str
    platforms: tuple[str, ...]
    pythons: tuple[str, ...]
    promised: float


_CASES = (
    Case("1 target", _PLATFORMS[:1], ("3.12",), 1.0),
    Case("5 platforms by 5 Pythons", _PLATFORMS, _PYTHONS, 4.0),
)


def lock_text(packages: int = _PACKAGES) -> str:
    """Return a uv.lock; what each package needs follows from its number."""
    lines = ["version = 1", "revision = 5", 'requires-python = ">=3.10"']
    for number in range(packages):
        name = f"package-{number:03}"
        lines += ["[[package]]", f'name = "{name}"', 'version = "1.2.3"']
        lines += [f'source = {{ registry = "{_INDEX}" }}', "dependencies = ["]
        lines += [*_edges(number, packages), "]", "wheels = ["]
        lines += [f"    {_file(wheel)}," for wheel in _wheels(name)]
        lines.append("]")
    lines += ["[[package]]", 'name = "root"', 'version = "1.0"', 'source = { editable = "." }']
    needed = (f'    {{ name = "package-{number:03}" }},' for number in range(0, packages, 10))
    return "\n".join([*lines, "dependencies = [", *needed, "]"]) + "\n"


def _edges(number: int, packages: int) -> Iterator[str]:
    for step in (1, 2, 7, 30):
        if number + step < packages:
            marker = _MARKERS[(number + step) % len(_MARKERS)]
            condition = f', marker = "{marker}"' if marker else ""
            yield f'    {{ name = "package-{number + step:03}"{condition} }},'


def _wheels(name: str) -> Iterator[str]:
    stem = f"{name.replace('-', '_')}-1.2.3"
    for platform in _WHEELS:
        yield from (f"{stem}-cp3{minor}-cp3{minor}-{platform}.whl" for minor in (10, 11, 12))
    yield f"{stem}-cp313-abi3-any.whl"
    yield f"{stem}-py3-none-any.whl"


def _file(name: str) -> str:
    url = f"https://files.example/packages/{name}"
    return f'{{ url = "{url}", hash = "sha256:{"0" * 64}", size = 12345 }}'


def _in_process(lock: bytes, case: Case) -> float:
    started = time.process_time()
    locked = read_uv_lock(lock, Wanted(), Pyproject.read(Path("/nonexistent")))
    for target in make_targets(case.platforms, case.pythons):
        selection = select(locked, target)
        assert not selection.problems, selection.problems
    return time.process_time() - started


def _command(path: Path, case: Case, variables: dict[str, str]) -> float:
    options = [option for platform in case.platforms for option in ("--platform", platform)]
    options += [option for python in case.pythons for option in ("--python", python)]
    command = [sys.executable, "-m", "wheelferry_installer", "create", str(path), *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command += ["--dry-run", "--json"]
    subprocess.run(command, env=variables, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _median(measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(_ROUNDS))


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", type=Path, help="another uv.lock, instead of the generated one")
    parser.add_argument(
        "--quick", action="store_true", help="a small lock, to see that the script works"
    )
    records.add_option(parser)
    arguments = parser.parse_args()
    record = measure(arguments.lock, _FEW if arguments.quick else _PACKAGES)
    records.write(arguments.record, record)
    print("\n".join(report.selections(record)))


def measure(given: Path | None, packages: int) -> Selections:
    """Select from a lock that is given, or generated with so many packages."""
    said = circumstances()
    compile_sources()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = given or folder / "uv.lock"
        if given is None:
            path.write_text(lock_text(packages), encoding="utf-8")
        lock = path.read_bytes()
        variables = own_variables(folder / "own")
        cases = [
            Selecting(
                name=case.name,
                promised=case.promised,
                inside=_median(functools.partial(_in_process, lock, case)),
                whole=_median(functools.partial(_command, path, case, variables)),
            )
            for case in _CASES
        ]
    return Selections(circumstances=said, lock_size=len(lock), cases=tuple(cases))


if __name__ == "__main__":
    main()
