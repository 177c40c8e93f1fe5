"""`bundle create` for a matrix against `pip download` in a loop: `python -m benchmarks.matrix`.

Three platforms by three Pythons, pinned requirements, one index on 127.0.0.1 that serves the real
wheels, all caches cold. Also shows where pip's answer is wrong: it evaluates markers with the host.
PyPI is asked once, to fill the index, in the folder `work` here.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import uv
from packaging.utils import canonicalize_name, parse_wheel_filename

from benchmarks import records, report
from benchmarks.records import Matrix
from benchmarks.surroundings import circumstances, compile_sources, own_variables
from wheelferry_bundler.select.platforms import parse_platform

WORK = Path(__file__).parent / "work" / "matrix"
PLATFORMS = ("manylinux_2_28_x86_64", "win_amd64", "macosx_14_0_arm64")
PYTHONS = ("3.11", "3.12", "3.13")
ASKED = ("aiohttp", "cryptography", "fastapi", "pandas", "pillow", "pytest", "requests", "rich")
"""What comes to 40 packages, compiled ones among them."""
BIN = Path(sys.executable).parent


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="rounds (%(default)s)")
    records.add_option(parser)
    arguments = parser.parse_args()
    record = measure(arguments.runs)
    records.write(arguments.record, record)
    print("\n".join(report.matrix(record)))


def measure(rounds: int) -> Matrix:
    """Fill the index if it is empty, then measure."""
    said = circumstances()
    compile_sources()
    requirements = _fill_index()
    pins = sum(not line.startswith((" ", "#")) for line in requirements.read_text().splitlines())
    with _served(WORK / "index") as url:
        times: dict[str, list[float]] = {"pip": [], "wheelferry": []}
        for _ in range(rounds):
            times["pip"].append(_timed(_pip_downloads, requirements, url))
            times["wheelferry"].append(_timed(_bundle, requirements, url))
    return Matrix(
        circumstances=said,
        rounds=rounds,
        pins=pins,
        targets=len(PLATFORMS) * len(PYTHONS),
        pip=statistics.median(times["pip"]),
        wheelferry=statistics.median(times["wheelferry"]),
        differences=tuple(_differences()),
    )


def _fill_index() -> Path:
    requirements = WORK / "requirements.txt"
    if requirements.is_file():
        return requirements
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    asked = WORK / "asked.in"
    asked.write_text("\n".join(ASKED) + "\n")
    pinned = WORK / "pinned.txt"
    _run(
        [
            *(uv.find_uv_bin(), "pip", "compile", "-q", "--universal", "--no-header"),
            # One version for all Pythons: pip reads the markers of forks with its own.
            *("--fork-strategy", "fewest"),
            *("--python-version", PYTHONS[0], "--no-annotate", str(asked), "-o", str(pinned)),
        ]
    )
    environment = _environment(WORK / "filling")
    bundle = WORK / "filling.tar.zst"
    _run(
        [str(BIN / "bundle"), "create", str(pinned), "--unsigned", *_matrix(), "-o", str(bundle)],
        environment,
    )
    _run(["tar", "--zstd", "-xf", str(bundle), "-C", str(WORK)])
    for wheel in sorted((WORK / "wheels").iterdir()):
        _publish(wheel, WORK / "index" / canonicalize_name(parse_wheel_filename(wheel.name)[0]))
    shutil.rmtree(WORK / "filling")
    bundle.unlink()
    pinned.rename(requirements)
    return requirements


def _publish(wheel: Path, folder: Path) -> None:
    """Put a wheel on the index as PyPI does: with its hash, and its metadata beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        (folder / f"{wheel.name}.metadata").write_bytes(archive.read(name))
    with (folder / "index.html").open("a", encoding="utf-8") as page:
        page.write(
            f'<a href="{wheel.name}#sha256={sha256}" data-core-metadata="true">{wheel.name}</a>\n'
        )
    wheel.rename(folder / wheel.name)


def _pip_downloads(requirements: Path, url: str, folder: Path) -> None:
    for platform in PLATFORMS:
        for python in PYTHONS:
            _run(
                [
                    *(sys.executable, "-m", "pip", "download", "-q", "--no-cache-dir"),
                    *("--only-binary", ":all:"),
                    # pip takes manylinux_2_28 to the letter, and has to be told all that it means.
                    *(
                        text
                        for tag in parse_platform(platform).tags
                        for text in ("--platform", tag)
                    ),
                    *("--python-version", python, "--index-url", url),
                    *("-r", str(requirements), "-d", str(folder / f"{platform}-{python}")),
                ],
                # What this host's settings add would be asked too.
                {**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""},
            )


def _bundle(requirements: Path, url: str, folder: Path) -> None:
    environment = {**_environment(folder), "UV_DEFAULT_INDEX": url}
    bundle = folder / "bundle.tar.zst"
    _run(
        [
            str(BIN / "bundle"),
            "create",
            str(requirements),
            "--unsigned",
            *_matrix(),
            "-o",
            str(bundle),
        ],
        environment,
    )


def _matrix() -> list[str]:
    platforms = [text for platform in PLATFORMS for text in ("--platform", platform)]
    return [*platforms, *(text for python in PYTHONS for text in ("--python", python))]


def _environment(folder: Path) -> dict[str, str]:
    return {**own_variables(folder), "UV_CACHE_DIR": str(folder / "uv-cache")}


def _timed(job: Callable[[Path, str, Path], None], requirements: Path, url: str) -> float:
    folder = WORK / "out" / job.__name__.strip("_")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    start = time.monotonic()
    job(requirements, url, folder)
    return time.monotonic() - start


def _differences() -> Iterator[str]:
    """Yield in what the answers differ for the first Python on each platform."""
    ours = WORK / "out" / "bundle" / "bundle.tar.zst"
    for platform in PLATFORMS:
        target = f"cp{PYTHONS[0].replace('.', '')}-{platform}"
        run = subprocess.run(
            ["tar", "--zstd", "-xOf", str(ours), f"requirements.{target}.txt"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        pins = [line.partition("==")[0] for line in run.stdout.splitlines() if "==" in line]
        folder = WORK / "out" / "pip_downloads" / f"{platform}-{PYTHONS[0]}"
        pips = {str(parse_wheel_filename(path.name)[0]) for path in folder.iterdir()}
        for what, names in (
            ("leaves out", set(pins) - pips),
            ("brings in vain", pips - set(pins)),
        ):
            if names:
                yield f"{target}: pip {what} {', '.join(sorted(names))}"


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Serve the index."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    handler = functools.partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
