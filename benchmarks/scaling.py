"""Measures what grows with the number and the size of wheels: `python -m benchmarks.scaling`.

50, 500 and 2,000 generated wheels of 20 files each: nothing may grow faster than they do. And one
wheel of 2 GB, whose memory has to stay flat. Prints tables in Markdown, and a plot for Mermaid.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Arena, Commands, Contestant
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
    arguments = parser.parse_args()
    with TemporaryDirectory(dir=arguments.work, prefix="scaling-") as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder / "state"),
            "WHEELFERRY_CACHE_DIR": str(folder / "cache"),
        }
        make_own_key(environment)
        arena = Arena(folder / "runs", environment)
        sets = {f"{count} wheels": _many(folder / str(count), count) for count in COUNTS}
        _print_times(arena, sets, arguments.runs)
        _print_memory(arena, {**sets, "one of 2 GB": _big(folder / "big")})


def _print_times(arena: Arena, sets: Mapping[str, Path], runs: int) -> None:
    jobs = ("create", "verify", "install")
    ways = [way for name, project in sets.items() for way in _ways(name, project)]
    for way in ways[:: len(jobs)]:
        arena.timed(way)  # makes the bundle that the others read, and fills the cache
    timings = arena.interleaved(ways, runs)
    print("| | " + " | ".join(jobs) + " |")
    print("|---" * (len(jobs) + 1) + "|")
    for name in sets:
        seconds = [timings[f"{job}: {name}"].elapsed for job in jobs]
        print(f"| {name} | " + " | ".join(f"{second:.2f} s" for second in seconds) + " |")
    print('\n```mermaid\nxychart-beta\n    title "Milliseconds per wheel"')
    print(f"    x-axis [{', '.join(str(count) for count in COUNTS)}]")
    for job in jobs:
        each = [
            1000 * timings[f"{job}: {name}"].elapsed / count
            for name, count in zip(sets, COUNTS, strict=True)
        ]
        print(f"    line [{', '.join(f'{one:.2f}' for one in each)}]")
    print(f"```\n\nLines from the top: {', '.join(jobs)}.\n")


def _print_memory(arena: Arena, sets: Mapping[str, Path]) -> None:
    print("| peak memory, MiB | create | verify | install |\n|---|---|---|---|")
    for name, project in sets.items():
        peaks = [arena.peak_memory(way) / 2**20 for way in _ways(name, project)]
        print(f"| {name} | " + " | ".join(f"{peak:.0f}" for peak in peaks) + " |")


def _ways(name: str, project: Path) -> Iterator[Contestant]:
    """Yield what is measured of a project; the first makes the bundle for the others."""
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


def _big(project: Path) -> Path:
    _begin(project)
    piece = _noise("big", _PIECE)
    _write_wheel(project, "big", [("big/data.bin", [piece] * (BIG // _PIECE))])
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
