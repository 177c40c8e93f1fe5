"""Targets: the interpreters that a bundle is made for.

A target is all that selection needs to know about a host, so that it asks nothing of the machine it
runs on: the whole marker environment, and what the wheel tags are computed from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from msgspec import Meta
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags

from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.models import END, Model, read

MarkerVariable = Literal[
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
]
PlatformTag = Annotated[str, Meta(pattern=rf"^[a-z0-9_]{{1,64}}{END}")]
AbiTag = Annotated[str, Meta(pattern=rf"^[a-z0-9_]{{1,32}}{END}")]
MinorVersion = Annotated[str, Meta(pattern=rf"^[0-9]{{1,3}}\.[0-9]{{1,3}}{END}")]
TargetId = Annotated[str, Meta(pattern=rf"^[a-z0-9][a-z0-9_-]{{0,127}}{END}")]
Specifier = Annotated[str, Meta(max_length=200)]


class MarkerEnvironment(Model, frozen=True, kw_only=True):
    """The values of all environment marker variables (PEP 508) except `extra`."""

    implementation_name: str
    implementation_version: str
    os_name: str
    platform_machine: str
    platform_python_implementation: str
    platform_release: str
    platform_system: str
    platform_version: str
    python_full_version: str
    python_version: MinorVersion
    sys_platform: str


class Target(Model, frozen=True, kw_only=True):
    """One interpreter on one kind of host.

    `platforms` and `abis` are ordered, best first. `assumed` names the marker variables whose
    value was not stated; selection fails rather than let one of them decide. `requires_python` is
    what the interpreter on the air-gapped host has to satisfy: `==3.12.*`, or `==3.12.*,>=3.12.4`
    where the choice of packages depends on the patch release.
    """

    id: TargetId
    implementation: Literal["cpython"]
    requires_python: Specifier
    abis: Annotated[tuple[AbiTag, ...], Meta(min_length=1, max_length=16)]
    platforms: Annotated[tuple[PlatformTag, ...], Meta(min_length=1, max_length=400)]
    markers: MarkerEnvironment
    assumed: tuple[MarkerVariable, ...]

    def __post_init__(self) -> None:
        try:
            SpecifierSet(self.requires_python)
        except InvalidSpecifier as error:
            raise ValueError(f"not a version specifier: {self.requires_python!r}") from error

    @property
    def python(self) -> tuple[int, int]:
        """Major and minor version."""
        major, minor = self.markers.python_version.split(".")
        return int(major), int(minor)

    def tags(self) -> Iterator[Tag]:
        """Yield the compatible wheel tags, best first (PyPA, platform compatibility tags)."""
        return tags_for(self.python, self.abis, self.platforms)


def tags_for(
    python: tuple[int, int], abis: Sequence[str], platforms: Sequence[str]
) -> Iterator[Tag]:
    """Yield the compatible wheel tags of a CPython, best first; nothing is asked of this host."""
    yield from cpython_tags(python, abis=list(abis), platforms=list(platforms))
    yield from compatible_tags(
        python, interpreter="cp{}{}".format(*python), platforms=list(platforms)
    )


def parse_target(data: bytes) -> Target:
    """Read a target as `bundle target` writes it; raises `MalformedError`."""
    try:
        return read(data, Target)
    except (ValueError, RecursionError) as error:
        raise MalformedError(
            "not a description of a target",
            details=[str(error)],
            hint="write it on the air-gapped host: bundle target > target.json",
        ) from error
