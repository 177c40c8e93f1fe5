"""Builds wheels of source archives, git commits and local projects.

`pip wheel` builds in isolation, on this host, with a Python like the target's if there is one. A
pure-Python wheel fits every target, a compiled one only a target like this host whose glibc is not
older.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_version

from wheelferry_bundler.build.build_cache import build_key, recall, remember
from wheelferry_bundler.build.build_python import (
    BuildPython,
    command_of,
    interpreter_for,
    this_interpreter,
)
from wheelferry_bundler.build.pip_wheel import pip_wheel
from wheelferry_bundler.build.source_copies import extended_copy, named_archive
from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.fetch.fetching import Fetched
from wheelferry_bundler.fetch.hashing import hash_file
from wheelferry_bundler.model.locked import Artifact, LockedPackage, PackageKey
from wheelferry_bundler.model.options import BuildOptions
from wheelferry_bundler.select.platforms import glibc_minor
from wheelferry_schemas.errors import BuildError, UnfitError, WheelferryError
from wheelferry_schemas.target import Target

_WORKERS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A wheel built on this host; `built_from` is the sha256 of its source archive, if any."""

    wheel: Artifact
    file: Fetched
    built_from: str | None


def build_all(
    wanted: Sequence[tuple[LockedPackage, Target]],
    sources: Mapping[Artifact, Fetched],
    cache: Cache,
    workspace: Path,
    options: BuildOptions,
    on_built: Callable[[LockedPackage], None],
) -> Mapping[tuple[PackageKey, str], Built]:
    """Build a wheel for each package and target; one wheel serves all targets that it fits.

    `sources` holds the fetched source archives. `on_built` is called once for each
    package. Raises one `BuildError` or `UnfitError` for all failures.
    """
    # The same package may have different build requirements for two targets.
    targets: dict[tuple[PackageKey, tuple[str, ...]], list[Target]] = {}
    packages = {(package.key, package.build_requires): package for package, _ in wanted}
    for package, target in wanted:
        targets.setdefault((package.key, package.build_requires), []).append(target)
    built: dict[tuple[PackageKey, str], Built] = {}
    problems: list[WheelferryError] = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        builder = _Builder(sources, cache, workspace, options)
        jobs = {
            pool.submit(builder.build, package, targets[key]): package
            for key, package in packages.items()
        }
        for job in as_completed(jobs):
            package = jobs[job]
            wheels, failed = job.result()
            built |= {(package.key, target): wheel for target, wheel in wheels.items()}
            problems += failed
            on_built(package)
    if problems:
        raise _joined(problems)
    return built


def build(
    package: LockedPackage,
    sources: Mapping[Artifact, Fetched],
    workspace: Path,
    log_folder: Path,
    interpreter: BuildPython | None = None,
    options: BuildOptions | None = None,
    foreign: bool = False,
) -> Built:
    """Build the wheel of one package inside `workspace`, with this Python or another.

    `foreign` means that the Python is not like the target's. Raises `BuildError` with the last
    lines of the log and its path.
    """
    options = options or BuildOptions()
    folder = Path(tempfile.mkdtemp(dir=workspace, prefix=f"{package.name}-"))
    out = folder / "out"
    pip_wheel(
        f"{package.key} could not be built from {package.source.location}",
        [
            *(("--ignore-requires-python",) if foreign else ()),
            *(f"--config-settings={setting}" for setting in options.config_settings),
            *_constraining(options.constraints, folder),
            *("--wheel-dir", str(out), _requirement(package, sources, folder)),
        ],
        interpreter or this_interpreter(),
        options.locations,
        log_folder / f"build-{package.name}-{package.key.version or 'dynamic'}.log",
    )
    wheels = list(out.glob("*.whl"))
    if len(wheels) != 1:
        raise BuildError(f"building {package.key} gave {len(wheels)} wheels instead of one")
    built = _built(wheels[0].name, wheels[0], *hash_file(wheels[0]), _archive(package, sources))
    _check_identity(package, built.wheel)
    return built


def _constraining(constraints: Sequence[str], folder: Path) -> Sequence[str]:
    if not constraints:
        return ()
    file = folder / "constraints.txt"
    file.write_text("".join(f"{line}\n" for line in constraints), encoding="utf-8")
    return "--build-constraint", str(file)


def check_fit(package: LockedPackage, wheel: Artifact, target: Target) -> None:
    """Raise `UnfitError` for a wheel built on this host that does not fit a target."""
    hint = (
        f"build {package.name} on a host like the target, and pass the folder that the wheel is "
        "in with --find-links"
    )
    fitting = {tag.platform for tag in wheel.tags & set(target.tags())}
    if not fitting:
        own = this_interpreter()
        if not own.is_like(target) and any(tag.platform in target.platforms for tag in wheel.tags):
            hint = f"have a {command_of(target)} on the PATH, or {hint}"
        raise UnfitError(
            f"{package.key} was built on this host as {wheel.file_name}, which does not fit {target.id}",
            hint=hint,
        )
    if all(name.startswith("linux_") for name in fitting):
        _check_libc(package, target, hint)


def _check_libc(package: LockedPackage, target: Target, hint: str) -> None:
    """Raise `UnfitError` for a wheel linked to this host's C library, which its tag omits."""
    libc, version = this_interpreter().libc
    wanted = glibc_minor(target.platforms[0])
    if libc != "glibc":
        libc, version = "musl", version if libc == "musl" else ""
    if (libc == "glibc") != (wanted is not None):
        other = "musl" if wanted is None else "glibc"
        raise UnfitError(
            f"{package.key} was built on this host for {libc}, {target.id} has {other}", hint=hint
        )
    if wanted is not None and int(version.split(".")[1]) > wanted:
        raise UnfitError(
            f"{package.key} was built on this host against glibc {version}, {target.id} has 2.{wanted}",
            hint=hint,
        )


@dataclass(frozen=True, slots=True)
class _Builder:
    sources: Mapping[Artifact, Fetched]
    cache: Cache
    workspace: Path
    options: BuildOptions

    def build(
        self, package: LockedPackage, targets: Sequence[Target]
    ) -> tuple[Mapping[str, Built], Sequence[WheelferryError]]:
        """Return a wheel for each target by its id, and the failures."""
        built: dict[BuildPython, Built] = {}
        chosen: dict[str, Built] = {}
        problems: list[WheelferryError] = []
        for target in targets:
            own = interpreter_for(target)
            try:
                fitting = next((b for b in built.values() if _fits(package, b, target)), None)
                if fitting is None and own not in built:
                    built[own] = self._once(package, own, foreign=not own.is_like(target))
                chosen[target.id] = fitting or built[own]
                check_fit(package, chosen[target.id].wheel, target)
            except UnfitError as error:
                problems.append(error)
            except BuildError as error:
                problems.append(error)
                break
        return chosen, problems

    def _once(self, package: LockedPackage, interpreter: BuildPython, *, foreign: bool) -> Built:
        """Return the cached wheel, or build it."""
        options = self.options
        archive = _archive(package, self.sources)
        key = build_key(package, archive, interpreter, options.config_settings, options.constraints)
        known = recall(self.cache, key) if key else None
        if known is not None:
            file_name, path, sha256 = known
            return _built(file_name, path, sha256, path.stat().st_size, archive)
        built = build(
            package,
            self.sources,
            self.workspace,
            self.cache.folder / "logs",
            interpreter,
            self.options,
            foreign,
        )
        if key is not None:
            remember(self.cache, key, built.file.path, built.file.sha256)
        return built


def _fits(package: LockedPackage, built: Built, target: Target) -> bool:
    try:
        check_fit(package, built.wheel, target)
    except UnfitError:
        return False
    return True


def _archive(package: LockedPackage, sources: Mapping[Artifact, Fetched]) -> Fetched | None:
    return sources[package.sdist] if package.sdist else None


def _built(file_name: str, path: Path, sha256: str, size: int, archive: Fetched | None) -> Built:
    return Built(
        wheel=Artifact(file_name=file_name, path=path, sha256=sha256, size=size),
        file=Fetched(path=path, sha256=sha256, size=size),
        built_from=archive.sha256 if archive else None,
    )


def _requirement(package: LockedPackage, sources: Mapping[Artifact, Fetched], folder: Path) -> str:
    """Return the requirement that pip builds: a folder, an archive or a commit."""
    source = package.source
    if package.build_requires:
        return str(extended_copy(package, sources, folder))
    subdirectory = f"#subdirectory={source.subdirectory}" if source.subdirectory else ""
    if source.kind == "git":
        return f"{package.name} @ git+{source.url}@{source.commit}{subdirectory}"
    if source.kind == "directory" and source.path is not None:
        path = source.path / (source.subdirectory or "")
        if not path.is_dir():
            raise BuildError(
                f"the folder of {package.key} does not exist: {path}",
                hint="run this in the complete project, which is more than its lock",
            )
        return str(path.resolve())
    archive = named_archive(package, sources, folder)
    return f"{package.name} @ {archive.as_uri()}{subdirectory}" if subdirectory else str(archive)


def _check_identity(package: LockedPackage, wheel: Artifact) -> None:
    name, version = wheel.name_and_version
    expected = package.key.version
    if name != package.name or (
        expected is not None and canonicalize_version(version) != canonicalize_version(expected)
    ):
        raise BuildError(
            f"building {package.key} gave {wheel.file_name}",
            hint="the lock is older than the project: lock it again",
        )


def _joined(problems: Sequence[WheelferryError]) -> WheelferryError:
    failed = [problem for problem in problems if isinstance(problem, BuildError)]
    same = failed or problems
    if len(same) == 1:
        return same[0]
    kind = BuildError if failed else UnfitError
    hints = dict.fromkeys(problem.hint for problem in same if problem.hint)
    return kind(
        f"{len(same)} packages could not be built"
        if failed
        else f"{len(same)} wheels built on this host do not fit their target",
        details=[line for problem in same for line in (problem.message, *problem.details)],
        hint="; ".join(hints) or None,
    )
