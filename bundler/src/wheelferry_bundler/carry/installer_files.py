"""Packs the installer for self-contained files: its modules and their dependencies.

The dependencies come from a lock of our own, `installer-requirements.txt`, in the same way as those
of a bundle: planned for each target, fetched by hash. Files that no installation needs are left out
of their wheels; licences are kept.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wheelferry_bundler.build.build_python import interpreter_for
from wheelferry_bundler.carry.precompiling import compile_modules
from wheelferry_bundler.create import bundle_plan
from wheelferry_bundler.create.creation import Progress
from wheelferry_bundler.fetch.cache import Cache
from wheelferry_bundler.fetch.fetching import fetch, total_size
from wheelferry_bundler.model.locked import Artifact
from wheelferry_bundler.model.options import BuildOptions
from wheelferry_bundler.read.inputs import requirements_file
from wheelferry_bundler.select.selection import Selection
from wheelferry_schemas import __version__
from wheelferry_schemas.errors import UnfitError, UsageError, WheelferryError
from wheelferry_schemas.target import Target

OLDEST_PYTHON = (3, 10)
_LOCK = Path(__file__).with_name("installer-requirements.txt")
_OWN = f"wheelferry-{__version__}"
_OWN_PACKAGES = ("wheelferry_schemas", "wheelferry_installer")
_DROPPED = re.compile(
    r".*\.(pyi|h)|.*/tests?/.*|click/testing\.py"
    r"|[^/]+\.dist-info/(?!METADATA$|licenses/).*"
    r"|cffi/.*|cryptography/(fernet\.py|x509/.*|hazmat/(asn1|primitives/twofactor)/.*)"
    r"|isal/(igzip(_threaded)?\.py|isa-l/(?!LICENSE)).*"
    r"|tqdm/(?!(__init__|_monitor|_tqdm_pandas|cli|gui|std|utils|version)\.py).*"
    r"|packaging/(licenses/.*|(dependency_groups|direct_url|metadata|pylock)\.py)"
    r"|zstandard/(_cffi\..*|backend_cffi\.py)"
)
"""Only the compiled module of cffi is loaded; zstandard has another backend for PyPy."""
_LAUNCHER = re.compile(r"installer/_scripts/.*\.exe")
_EXACT_PLATFORM = re.compile(r"(manylinux|musllinux|macosx)_\d+_\d+_\w+|win\w+")
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSet:
    """The files for one Python on one platform, or a newer version of that platform."""

    python: str
    platform: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedInstaller:
    """The installer as ZIP archives by name, and the sets of them that hosts unpack to run it."""

    files: Mapping[str, bytes]
    sets: tuple[HostSet, ...]


def pack_installer(
    targets: Sequence[Target], building: BuildOptions, cache: Cache, progress: Progress
) -> CarriedInstaller:
    """Fetch the installer's dependencies, and pack both for those targets that can run it.

    Raises `UnfitError` if no target can, or if a wheel is missing for one; otherwise as `fetch`.
    """
    plan = _plan(targets, building)
    wheels = {
        wheel.file_name: wheel for selection in plan.selections for wheel in _wheels(selection)
    }
    progress.step("fetching", total_size(wheels.values()))
    fetched = fetch(wheels.values(), cache, progress.advance, plan.request.building.locations)
    windows = any(target.markers.os_name == "nt" for target in plan.request.targets)
    trees = {_OWN: own_modules()}
    for name, wheel in wheels.items():
        trees[name.removesuffix(".whl")] = _trimmed(fetched[wheel].path, launchers=windows)
    return _pack(plan.selections, trees, cache, progress)


def _plan(targets: Sequence[Target], building: BuildOptions) -> bundle_plan.BundlePlan:
    if not targets:
        raise UsageError(
            "there is no target to pack the installer for",
            hint="pass what make_targets() returns, or a bundle",
        )
    able = [target for target in targets if target.python >= OLDEST_PYTHON]
    if not able:
        raise UnfitError(
            "the installer cannot be carried: it runs with Python 3.10 and newer",
            hint="choose a Python to run it with: bundle bootstrap --python 3.12",
        )
    source = requirements_file(_LOCK)
    building = dataclasses.replace(building, no_build=True, config_settings=())
    try:
        plan = bundle_plan.plan(bundle_plan.Request(source=source, targets=able, building=building))
        bundle_plan.check_complete(plan)
    except WheelferryError as error:
        kind = UnfitError if isinstance(error, UnfitError) else type(error)
        raise kind(
            f"the installer cannot be carried: {error.message}",
            details=error.details,
            hint=error.hint,
        ) from error
    return plan


def _pack(
    selections: Sequence[Selection],
    trees: Mapping[str, Mapping[str, bytes]],
    cache: Cache,
    progress: Progress,
) -> CarriedInstaller:
    files: dict[str, bytes] = {}
    sets = []
    progress.step("packing", len(selections), "target")
    for selection in selections:
        stems = [_OWN, *(wheel.file_name.removesuffix(".whl") for wheel in _wheels(selection))]
        names = [*_add_sources(files, trees, stems)]
        names += _add_compiled(files, trees, stems, selection.target, cache)
        python = selection.target.abis[0].removeprefix("cp3")
        sets.append(
            HostSet(python=f"3.{python}", platform=_platform(selection), files=tuple(names))
        )
        progress.advance(selection.target.id, 1)
    return CarriedInstaller(files=files, sets=tuple(dict.fromkeys(sets)))


def own_modules() -> dict[str, bytes]:
    """Return the installer's own modules, from this installation."""
    tree = {}
    for package in _OWN_PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        for folder in map(Path, spec.submodule_search_locations or ()):
            for path in folder.rglob("*.py"):
                tree[path.relative_to(folder.parent).as_posix()] = path.read_bytes()
    metadata = importlib.metadata.distribution("wheelferry-installer").read_text("METADATA") or ""
    tree[f"wheelferry_installer-{__version__}.dist-info/METADATA"] = metadata.encode()
    return tree


def _wheels(selection: Selection) -> Iterator[Artifact]:
    for chosen in selection.chosen:
        assert chosen.wheel is not None
        yield chosen.wheel


def _trimmed(wheel: Path, *, launchers: bool) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {
            info.filename: _without_description(info.filename, archive.read(info))
            for info in archive.infolist()
            if not info.is_dir()
            and not _DROPPED.fullmatch(info.filename)
            and (launchers or not _LAUNCHER.fullmatch(info.filename))
        }


def _without_description(name: str, data: bytes) -> bytes:
    """Return METADATA without its description, and any other file unchanged."""
    return data.partition(b"\n\n")[0] + b"\n" if name.endswith(".dist-info/METADATA") else data


def _add_sources(
    files: dict[str, bytes], trees: Mapping[str, Mapping[str, bytes]], stems: Sequence[str]
) -> Iterator[str]:
    """Pack the trees that are not yet in `files`; yields the names of all."""
    for stem in stems:
        name = f"installer/{stem}.zip"
        if name not in files:
            files[name] = pack(trees[stem])
        yield name


def _add_compiled(
    files: dict[str, bytes],
    trees: Mapping[str, Mapping[str, bytes]],
    stems: Sequence[str],
    target: Target,
    cache: Cache,
) -> Iterator[str]:
    """Compile the modules of the trees that are not yet in `files`; yields the names of all.

    Yields none if this host has no Python like the target's: they are then compiled at each start.
    """
    interpreter = interpreter_for(target)
    if not interpreter.is_like(target):
        return
    names = {stem: f"installer/{stem}.{target.abis[0]}.zip" for stem in stems}
    missing = {stem: trees[stem] for stem, name in names.items() if name not in files}
    with cache.workspace() as workspace:
        for stem, tree in compile_modules(missing, interpreter.path, workspace).items():
            if tree:
                files[names[stem]] = pack(tree)
    yield from (name for name in names.values() if name in files)


def pack(tree: Mapping[str, bytes]) -> bytes:
    """Return a ZIP archive of files, reproducibly."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(tree):
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, tree[name])
    return buffer.getvalue()


def _platform(selection: Selection) -> str:
    """Return the oldest platform that runs all compiled wheels of a selection."""
    platforms = selection.target.platforms
    needs = [
        max(index for index, platform in enumerate(platforms) if platform in asked)
        for asked in ({tag.platform for tag in wheel.tags} for wheel in _wheels(selection))
        if not asked.isdisjoint(platforms)
    ]
    # Aliases such as manylinux2014 come after the exact names.
    exact = [p for p in platforms[: min(needs, default=0) + 1] if _EXACT_PLATFORM.fullmatch(p)]
    return exact[-1] if exact else platforms[0]
