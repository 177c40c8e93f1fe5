"""Manifests of every shape, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from wheelferry_bundler.read.targets import PythonVersion, make_target
from wheelferry_bundler.select.platforms import parse_platform
from wheelferry_schemas.bundle.manifest import Document, MadeFrom, Manifest, Package, Source
from wheelferry_schemas.fields import format_timestamp

TARGETS = tuple(
    sorted(
        (
            make_target(parse_platform(platform), PythonVersion(minor=minor))
            for platform in ("manylinux_2_28_x86_64", "win_amd64", "macosx_11_0_arm64")
            for minor in (10, 13)
        ),
        key=lambda target: target.id,
    )
)
_words = st.text("az09", min_size=1, max_size=8)
_names = st.lists(_words, min_size=1, max_size=3).map("-".join)
_numbers = st.lists(st.integers(0, 9999), min_size=1, max_size=4)
_versions = _numbers.map(lambda numbers: ".".join(map(str, numbers)))
_hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
_commits = st.binary(min_size=20, max_size=20).map(bytes.hex)
# Surrogates are no characters, and UTF-8 has no bytes for them.
_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
_times = st.integers(0, 2**35).map(format_timestamp)
_sizes = st.integers(0, 2**33 - 1)
_DOCUMENTS = ("pylock.toml", "pylock.linux-312.toml", "requirements.txt", "sbom.cdx.json")


@st.composite
def _packages(draw: st.DrawFn, ids: list[str]) -> tuple[Package, ...]:
    """Draw packages of different names, so that no target gets two of one."""
    names = draw(st.lists(_names, max_size=5, unique=True))
    packages = []
    for name in names:
        version = draw(_versions)
        built = draw(st.booleans())
        packages.append(
            Package(
                name=name,
                version=version,
                wheel=f"{name.replace('-', '_')}-{version}-py3-none-any.whl",
                sha256=draw(_hashes),
                size=draw(_sizes),
                license=draw(st.none() | _texts),
                dependencies=tuple(draw(st.lists(_names, max_size=3))),
                source=Source(
                    kind=draw(st.sampled_from(["registry", "url", "path", "git", "directory"])),
                    location=draw(_texts),
                    built=built,
                    built_from=draw(_hashes) if built else None,
                    commit=draw(st.none() | _commits),
                ),
                targets=tuple(draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))),
            )
        )
    return tuple(sorted(packages, key=lambda package: package.wheel))


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Draw a valid manifest."""
    chosen = draw(st.lists(st.sampled_from(TARGETS), min_size=1, unique_by=lambda t: t.id))
    targets = tuple(sorted(chosen, key=lambda target: target.id))
    documents = draw(st.lists(st.sampled_from(_DOCUMENTS), unique=True))
    return Manifest(
        format=1,
        name=draw(_names),
        version=draw(st.none() | _versions),
        created=draw(_times),
        expires=draw(st.none() | _times),
        tool=draw(_texts),
        made_from=MadeFrom(
            kind=draw(st.sampled_from(["uv.lock", "pylock.toml", "requirements.txt"])),
            name=draw(_texts),
            sha256=draw(_hashes),
            options=tuple(draw(st.lists(_texts, max_size=3))),
        ),
        targets=targets,
        roots=tuple(sorted(draw(st.lists(_names, max_size=3, unique=True)))),
        packages=draw(_packages([target.id for target in targets])),
        documents=tuple(
            Document(name=name, sha256=draw(_hashes), size=draw(_sizes))
            for name in sorted(documents)
        ),
    )
