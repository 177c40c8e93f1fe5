"""Two installations at once, and programs that look at an environment while it changes."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from faults.client import NO_FAULT, Tracer, running
from support.making.bundles import make_bundle, make_key, trust
from support.making.wheels import make_wheel
from support.running.command import tree


@pytest.fixture
def times(takes_all: bool) -> int:
    """How often something is tried that may go well by chance."""
    return 20 if takes_all else 5


@pytest.fixture(scope="module")
def tracers() -> Iterator[tuple[Tracer, Tracer]]:
    with running() as one, running() as other:
        yield one, other


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two bundles, whose packages have nothing but their names in common."""
    key = make_key()
    trust(tmp_path / "allowed_signers", key)
    for version in ("1", "2"):
        files = {f"changing/part{n}.py": f"VERSION = {version}\n".encode() for n in range(20)}
        wheels = [make_wheel("changing", version, files=files), make_wheel(f"only{version}")]
        make_bundle(tmp_path / f"{version}.tar.zst", wheels, keys=[key])
    (tmp_path / "work").mkdir()
    return tmp_path


def install(version: str, *options: str) -> tuple[str, ...]:
    signers = ("--allowed-signers", "../allowed_signers")
    return ("bundle", "install", f"../{version}.tar.zst", *signers, "--no-sync", *options)


def versions(environment: Path) -> set[str]:
    """Return the versions of everything that is installed in an environment."""
    found = {path.read_text() for path in environment.rglob("changing/part*.py")}
    found |= {f"VERSION = {path.stem[-1]}\n" for path in environment.rglob("only*.py")}
    metadata = environment.rglob("changing-*.dist-info")
    return found | {f"VERSION = {path.stem[-1]}\n" for path in metadata}


@pytest.mark.parametrize("place", [("--venv", "env"), ("--target", "env", "--exact")])
def test_of_two_at_once_one_waits_for_the_other(
    folder: Path, tracers: tuple[Tracer, Tracer], place: tuple[str, ...], times: int
) -> None:
    work = folder / "work"
    with ThreadPoolExecutor(2) as pool:
        for _ in range(times):
            jobs = [
                pool.submit(tracer.run, install(version, *place, "--reinstall"), work, NO_FAULT)
                for tracer, version in zip(tracers, "12", strict=True)
            ]
            assert [job.result().code for job in jobs] == [0, 0]
            assert len(versions(work / "env")) == 1
            assert len(list((work / "env").rglob("changing/part*.py"))) == 20


def test_of_two_at_once_one_gives_up_where_told_to(
    folder: Path, tracers: tuple[Tracer, Tracer], times: int
) -> None:
    work = folder / "work"
    with ThreadPoolExecutor(2) as pool:
        for _ in range(max(times // 4, 2)):
            options = ("--venv", "env", "--reinstall", "--no-wait")
            jobs = [
                pool.submit(tracer.run, install(version, *options), work, NO_FAULT)
                for tracer, version in zip(tracers, "12", strict=True)
            ]
            codes = {job.result().code for job in jobs}
            assert codes in ({0}, {0, 8})
            assert len(versions(work / "env")) == 1


def test_second_of_the_same_bundle_has_nothing_left_to_do(
    folder: Path, tracers: tuple[Tracer, Tracer]
) -> None:
    command = install("1", "--venv", "env")
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(tracer.run, command, folder / "work", NO_FAULT) for tracer in tracers]
        answers = [job.result() for job in jobs]
    assert sorted("is up to date" in answer.out for answer in answers) == [False, True]
    assert sorted(os.listdir(folder / "work")) == ["env", "state"]


def test_whoever_has_opened_an_environment_sees_one_generation(
    folder: Path, tracers: tuple[Tracer, Tracer], times: int
) -> None:
    work, tracer = folder / "work", tracers[0]
    for version in "12":
        tracer.run(install(version, "--venv", "env"), work, NO_FAULT)
    generations = [tree(work / "env")]
    tracer.run(("bundle", "rollback", "--venv", "env"), work, NO_FAULT)
    generations.append(tree(work / "env"))
    seen = []
    with ThreadPoolExecutor(1) as pool:
        for _ in range(times):
            job = pool.submit(
                tracer.run, ("bundle", "rollback", "--venv", "env", "--no-sync"), work, NO_FAULT
            )
            while not job.done():
                seen.append(_look_through(work / "env"))
            assert job.result().code == 0
    assert all(found in generations for found in seen)
    assert len(seen) > times


def _look_through(environment: Path) -> dict[str, tuple[str, int, bytes]]:
    """Read all of an environment by way of its folder, opened once."""
    descriptor = os.open(environment, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return tree(Path(f"/proc/self/fd/{descriptor}/."))
    finally:
        os.close(descriptor)
