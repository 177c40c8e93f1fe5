"""The packages of the oracle's indexes: tiny, but with the tags and edges of real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from support.making.sources import pack_source
from support.making.wheels import TinyWheel, make_wheel
from support.running.index import LocalIndex

LINUX = ("manylinux_2_17_x86_64.manylinux2014_x86_64", "manylinux_2_17_aarch64")
MUSL = ("musllinux_1_2_x86_64", "musllinux_1_1_aarch64")
MACOS = ("macosx_11_0_arm64", "macosx_10_9_x86_64")
WINDOWS = ("win_amd64", "win_arm64")
EVERYWHERE = (*LINUX, *MUSL, *MACOS, *WINDOWS)
PYTHONS = ("cp310", "cp311", "cp312", "cp313", "cp313t", "cp314")

BACKEND = """\
import base64, hashlib, os, pathlib, re, zipfile

TEXT = pathlib.Path("pyproject.toml").read_text()
NAME = re.search(r"^name = .(.+).$", TEXT, re.MULTILINE)[1]
VERSION = re.search(r"^#? ?version = .(.+).$", TEXT, re.MULTILINE)[1]
INFO = NAME.replace("-", "_") + "-" + VERSION + ".dist-info"
METADATA = "Metadata-Version: 2.2\\nName: " + NAME + "\\nVersion: " + VERSION + "\\n"


def prepare_metadata_for_build_wheel(folder, config_settings=None):
    os.makedirs(os.path.join(folder, INFO), exist_ok=True)
    pathlib.Path(folder, INFO, "METADATA").write_text(METADATA)
    return INFO


def build_wheel(folder, config_settings=None, metadata_directory=None):
    files = {
        INFO + "/METADATA": METADATA.encode(),
        INFO + "/WHEEL": b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    rows = ""
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows += path + ",sha256=" + digest + "," + str(len(data)) + "\\n"
    files[INFO + "/RECORD"] = (rows + INFO + "/RECORD,,\\n").encode()
    name = INFO.removesuffix(".dist-info") + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return name


build_editable = build_wheel
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
"""
BUILD_SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def make_sdist(name: str, version: str, requires: Sequence[str] = ()) -> tuple[str, bytes]:
    """Return the file name and bytes of a source archive that can be built without an index."""
    folder = f"{name.replace('-', '_')}-{version}"
    requirements = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    dependencies = ", ".join(f'"{requirement}"' for requirement in requires)
    files = {
        "PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n{requirements}",
        "pyproject.toml": f'{BUILD_SYSTEM}[project]\nname = "{name}"\nversion = "{version}"\n'
        f"dependencies = [{dependencies}]\n",
        "backend.py": BACKEND,
    }
    return f"{folder}.tar.gz", pack_source(folder, {p: text.encode() for p, text in files.items()})


def fill(index: LocalIndex) -> None:
    """Put everything on the main index."""
    index.add(*_pure(), *_compiled(), *_tagged(), *_many())
    for name in ("sdist-only", "fallback"):
        index.add_file(*make_sdist(name, "1.0", ("leaf",)))


def fill_second(index: LocalIndex) -> None:
    """Put what a second index has, as PyTorch's indexes do: local versions of a package."""
    index.add(
        *_native("tensor", "2.0+cpu"),
        *_native(
            "tensor",
            "2.0+cu1",
            platforms=(*LINUX, "win_amd64"),
            requires=("gpu; sys_platform == 'linux'",),
        ),
        make_wheel("private", "1.0", requires=("leaf<2",)),
    )


def _pure() -> Iterator[TinyWheel]:
    for version in ("1.0", "1.1", "2.0"):
        yield make_wheel("leaf", version)
    yield make_wheel("colors", "1.0")
    yield make_wheel("gpu", "1.0")
    yield make_wheel("winthing", "1.0")
    yield make_wheel("Dotted.Name", "1!2.0.post1")
    yield make_wheel("branch", "1.0", requires=("leaf", "winthing; sys_platform == 'win32'"))
    yield _with_extras(
        "tree",
        "1.0",
        ("branch",),
        {
            "fast": ("numlib; platform_python_implementation == 'CPython'",),
            "pretty": ("colors", "winthing; os_name == 'nt'"),
            "all": ("tree[fast,pretty]",),
            "empty": (),
        },
    )
    # Two that need each other.
    yield make_wheel("hen", "1.0", requires=("egg",))
    yield _with_extras("egg", "1.0", ("hen",), {"boiled": ("leaf",), "fried": ("egg[boiled]",)})
    yield make_wheel("new", "1.0", metadata="Requires-Python: >=3.9\n")
    yield make_wheel("new", "2.0", metadata="Requires-Python: >=3.12\n", requires=("colors",))
    yield make_wheel("backport", "1.0")
    yield make_wheel("patchy", "1.0", requires=("backport; python_full_version < '3.12.3'",))
    for version, lower in (("1.0", "1.0"), ("2.0", "2.0")):
        yield _with_extras(
            "engine", version, (f"leaf=={lower}",), {"turbo": (f"gears=={version}", "colors")}
        )
        yield make_wheel("gears", version)
    yield make_wheel("machine-one", "1.0", requires=("engine[turbo]<2",))
    yield make_wheel("machine-two", "1.0", requires=("engine[turbo]>=2",))


def _compiled() -> Iterator[TinyWheel]:
    yield from _native("numlib", "1.0", metadata="Requires-Python: >=3.9\n")
    yield from _native("numlib", "2.0", pythons=PYTHONS[2:], metadata="Requires-Python: >=3.12\n")
    yield from _native("tensor", "1.9", platforms=EVERYWHERE)
    yield from _native("tensor", "2.0", platforms=EVERYWHERE)
    yield from _native("needs-glibc", "1.0", platforms=("manylinux_2_34_x86_64", "win_amd64"))
    yield from _native("needs-python", "1.0", pythons=("cp312", "cp314"))
    yield from _native("gil-only", "1.0", pythons=("cp310", "cp311", "cp312", "cp313", "cp314"))
    yield make_wheel("fallback", "1.0", tag="cp312-cp312-win_amd64", pure=False)


def _tagged() -> Iterator[TinyWheel]:
    """Yield packages of several wheels that fit one host, of which one is the best."""

    def wheels(name: str, *tags: str, build: str = "") -> Iterator[TinyWheel]:
        return (make_wheel(name, tag=tag, build=build) for tag in tags)

    stable = [f"cp39-abi3-{platform}" for platform in EVERYWHERE]
    newer = [f"cp312-abi3-{platform}" for platform in EVERYWHERE]
    own = [f"cp311-cp311-{platform}" for platform in LINUX]
    threads = [f"cp313-cp313t-{platform}" for platform in EVERYWHERE]
    yield from wheels("stable", *stable, *newer, *own, *threads)
    yield from wheels("any-abi3t", *stable, *(tag.replace("abi3", "abi3t") for tag in stable))
    yield from wheels(
        "glibcs",
        *(
            f"cp{python}-cp{abi}-manylinux_2_{glibc}_x86_64"
            for python, abi in (("312", "312"), ("313", "313t"), ("314", "314"))
            for glibc in (5, 17, 24, 28, 31, 38)
        ),
        "py3-none-any",
    )
    yield from wheels("legacy", "cp312-cp312-manylinux1_x86_64", "cp312-cp312-manylinux2010_x86_64")
    yield from wheels("legacy", "cp312-cp312-manylinux2014_x86_64", "py3-none-any")
    yield from wheels("raw-linux", "py3-none-linux_x86_64", "py3-none-any")
    yield from wheels(
        "fat",
        "cp313-cp313-macosx_11_0_universal2",
        "cp313-cp313-macosx_10_13_universal2",
        "cp313-cp313-macosx_12_0_arm64",
        "cp313-cp313-macosx_14_0_arm64",
        "cp310-cp310-macosx_10_9_intel",
        "cp310-cp310-macosx_12_0_x86_64",
        "cp310-cp310-macosx_13_1_x86_64",
        "py3-none-any",
    )
    yield from wheels("equal", "py2.py3-none-any", "py3-none-any", "cp38.py3-none-any")
    yield from wheels("rebuilt", "py3-none-any")
    for build in ("1", "2", "10", "2a"):
        yield from wheels("rebuilt", "py3-none-any", build=build)
    yield from wheels(
        "program", *(f"py3-none-{platform}" for platform in EVERYWHERE), "cp312-none-win_amd64"
    )
    yield from wheels("old-style", "py2.py3-none-any", "py310-none-any", "py312-none-any")
    yield from wheels("old-style", "cp312-none-any", "py27-none-any", "pp310-pypy310_pp73-any")


def _many() -> Iterator[TinyWheel]:
    """Yield a graph of 120 packages; what each needs, and where, follows from its number."""
    markers = (
        "",
        "; sys_platform == 'win32'",
        "; sys_platform != 'win32'",
        "; python_version < '3.12'",
        "; python_full_version >= '3.13'",
        "; platform_machine == 'aarch64' or platform_machine == 'arm64'",
        "; sys_platform == 'darwin' and python_version >= '3.11'",
    )
    for number in range(120):
        needs = {number * 2 + 1, number * 3 + 2, number + 7} - {number}
        requires = tuple(
            f"many-{need}{'[more]' if need % 5 == 0 else ''}{markers[(need + number) % 7]}"
            for need in sorted(needs)
            if need < 120
        )
        extra = {"more": (f"many-{(number * 7 + 1) % 120}",)} if number % 5 == 0 else {}
        name = f"many-{number}"
        if number % 11 == 3:
            yield from _native(name, "1.0", pythons=("cp310", "cp311", "cp312"), requires=requires)
        yield _with_extras(name, "1.0", requires, extra)


def _native(
    name: str,
    version: str,
    *,
    pythons: Sequence[str] = PYTHONS,
    platforms: Sequence[str] = EVERYWHERE,
    requires: tuple[str, ...] = (),
    metadata: str = "",
) -> Iterator[TinyWheel]:
    for python in pythons:
        for platform in platforms:
            yield make_wheel(
                name,
                version,
                tag=f"{python.rstrip('t')}-{python}-{platform}",
                pure=False,
                requires=requires,
                metadata=metadata,
            )


def _with_extras(
    name: str, version: str, requires: Sequence[str], extras: Mapping[str, Sequence[str]]
) -> TinyWheel:
    conditional = [
        f"{requirement}{' and' if ';' in requirement else ';'} extra == '{extra}'"
        for extra, requirements in extras.items()
        for requirement in requirements
    ]
    return make_wheel(
        name,
        version,
        requires=(*requires, *conditional),
        metadata="".join(f"Provides-Extra: {extra}\n" for extra in extras),
    )
