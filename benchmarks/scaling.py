"""Measures what grows with the number and the size of wheels: `python -m benchmarks.scaling`.

50, 500 and 2,000 generated wheels of 20 files each: nothing may grow faster than they do. And one
wheel of 2 GB, whose memory has to stay flat. Prints tables in Markdown, and a plot for Mermaid.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import records, report
from benchmarks.measure import Arena, Commands, Contestant, Timings
from benchmarks.records import Growth, Size
from benchmarks.report import JOBS
from benchmarks.surroundings import circumstances, compile_sources, own_variables
from benchmarks.wheel_set import PROGRAMS, PYTHON, make_own_key

COUNTS = (50, 500, 2000)
FILES = 20
BIG = 2 * 10**9
_PIECE = 2**20
_BUNDLE = str(PROGRAMS / "bundle")


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="rounds (%(default)s)")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(__file__).parent / "work",
        help="where everything is read and written (%(default)s)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a few small wheels, to see that the script works"
    )
    records.add_option(parser)
    arguments = parser.parse_args()
    record = measure(arguments.work, arguments.runs, quick=arguments.quick)
    records.write(arguments.record, record)
    print("\n".join(report.growth(record)))


def measure(work: Path, rounds: int, *, quick: bool) -> Growth:
    """Generate the wheels, and measure each job on each set of them."""
    said = circumstances()
    compile_sources()
    work.mkdir(parents=True, exist_ok=True)
    counts, big = ((2, 4), 10**6) if quick else (COUNTS, BIG)
    with TemporaryDirectory(dir=work, prefix="scaling-") as name:
        folder = Path(name)
        environment = own_variables(folder)
        make_own_key(environment)
        arena = Arena(folder / "runs", environment)
        many = {f"{count} wheels": _many(folder / str(count), count) for count in counts}
        one = {f"one of {big / 10**9:.9g} GB": _big(folder / "big", big)}
        timings = _timed(arena, many, rounds)
        sizes = [
            Size(
                name=name,
                wheels=count,
                seconds={job: timings[f"{job}: {name}"].elapsed for job in JOBS if name in many},
                memory=dict(zip(JOBS, map(arena.peak_memory, _ways(name, project)), strict=True)),
            )
            for (name, project), count in zip({**many, **one}.items(), (*counts, 1), strict=True)
        ]
    return Growth(circumstances=said, rounds=rounds, sizes=tuple(sizes))


def _timed(arena: Arena, sets: Mapping[str, Path], rounds: int) -> Mapping[str, Timings]:
    ways = [way for name, project in sets.items() for way in _ways(name, project)]
    for way in ways[:: len(JOBS)]:
        arena.timed(way)  # makes the bundle that the others read, and fills the cache
    return arena.interleaved(ways, rounds)


def _ways(name: str, project: Path) -> Iterator[Contestant]:
    """Yield each of `JOBS` of a project; the first makes the bundle for the others."""
    bundle = str(project / "bundle.tar.zst")

    def create(_: Path) -> Commands:
        source = (str(project / "requirements.txt"), "--find-links", str(project / "wheels"))
        options = ("--python", PYTHON, "--force", "--quiet", "-o", bundle)
        return [(_BUNDLE, "create", *source, *options)]

    def install(folder: Path) -> Commands:
        return [
            (_BUNDLE, "install", bundle, "--quiet", "--no-sync", "--venv", str(folder / "venv"))
        ]

    yield Contestant(f"create: {name}", create)
    yield Contestant(f"verify: {name}", lambda _: [(_BUNDLE, "verify", "--quiet", bundle)])
    yield Contestant(f"install: {name}", install)


def _many(project: Path, count: int) -> Path:
    _begin(project)
    for number in range(count):
        module = f"generated_{number:04}"
        files = {
            f"{module}/part_{part}.py": f"VALUE = {_noise(f'{number} {part}', 1500).hex()!r}\n".encode()
            for part in range(FILES)
        }
        _write_wheel(project, module, [(path, [data]) for path, data in files.items()])
    return project


def _big(project: Path, size: int) -> Path:
    _begin(project)
    piece = _noise("big", _PIECE)
    _write_wheel(project, "big", [("big/data.bin", [piece] * max(1, size // _PIECE))])
    return project


def _begin(project: Path) -> None:
    project.mkdir()
    # No index knows these wheels, and none is to be asked.
    (project / "requirements.txt").write_text("--no-index\n", encoding="utf-8")


def _noise(name: str, size: int) -> bytes:
    """Return bytes that cannot be compressed, the same each time."""
    return hashlib.shake_128(name.encode()).digest(size)


def _write_wheel(project: Path, module: str, files: list[tuple[str, list[bytes]]]) -> None:
    """Write a wheel, and what requires it."""
    wheels = project / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    path = wheels / f"{module}-1.0-py3-none-any.whl"
    info = f"{module}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n".encode()
    wheel = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, pieces in (
            *files,
            (f"{info}/METADATA", [metadata]),
            (f"{info}/WHEEL", [wheel]),
        ):
            digest, size = hashlib.sha256(), 0
            with archive.open(name, "w") as stream:
                for piece in pieces:
                    stream.write(piece)
                    digest.update(piece)
                    size += len(piece)
            spelled = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={spelled},{size}\n")
        archive.writestr(f"{info}/RECORD", "".join([*record, f"{info}/RECORD,,\n"]))
    with path.open("rb") as file:
        whole = hashlib.sha256()
        while piece := file.read(_PIECE):
            whole.update(piece)
    with (project / "requirements.txt").open("a", encoding="utf-8") as lines:
        lines.write(f"{module.replace('_', '-')}==1.0 --hash=sha256:{whole.hexdigest()}\n")


if __name__ == "__main__":
    main()
