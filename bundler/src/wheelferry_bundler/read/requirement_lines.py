"""Reads requirements files as pip would: includes, constraints, continuations, variables, hashes.

The files become one text without includes and hashes, which uv resolves. The hashes are kept
apart, since uv does not check the files that it finds against them.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from wheelferry_bundler.model.locations import Index
from wheelferry_bundler.model.locked import project_of
from wheelferry_bundler.model.urls import file_name, redacted
from wheelferry_bundler.read.toml_tables import read_input
from wheelferry_schemas.errors import MalformedError, UsageError

_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_OPTIONS = re.compile(r"\s(?=--?[A-Za-z])")
_HASH = re.compile(r"--hash[= ]\s*([a-z0-9]+):([0-9a-fA-F]+)")
_FRAGMENT_HASH = re.compile(r"[#&](sha\d+|md5)=([0-9a-fA-F]+)")
_PATH_LIKE = re.compile(r"[/\\]|^\.|^file:|\.(whl|zip|tar\.[a-z0-9]+|tgz)(\[|\s|;|$)")
_VERSION_CONTROL = re.compile(r"(git|hg|svn|bzr)\+")
_ALIASES = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-f": "--find-links",
    "-i": "--index-url",
    "--pypi-url": "--index-url",
}
_FOR_UV = frozenset(
    {"--index-url", "--extra-index-url", "--no-index", "--no-binary", "--only-binary"}
)
_WITHOUT_EFFECT = frozenset(
    {"--prefer-binary", "--require-hashes", "--trusted-host", "--use-feature"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLines:
    """The content of a requirements file and its includes.

    `text` and `constraints` are for uv. `hashes` maps normalized names to the listed sha256
    digests. `asked` maps the names of the requirements to their extras; with `unnamed` there are
    also paths or URLs without a name. With `pinned`, each requirement is pinned to one version or
    URL, with `complete` it lists a hash as well. `prereleases` is `--pre`. `indexes` may contain
    logins.
    """

    text: str = ""
    constraints: str = ""
    hashes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()
    asked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unnamed: bool = False
    pinned: bool = True
    prereleases: bool = False

    @property
    def complete(self) -> bool:
        """Whether the lines list every file that may be installed, with its hash."""
        return self.pinned and self.asked.keys() <= self.hashes.keys()


def read_lines(path: Path) -> RequirementLines:
    """Read a requirements file and those that it includes.

    Raises `MalformedError`, `TransferError` where a file cannot be read, and `UsageError` for
    features of pip that are not supported.
    """
    reader = _Reader()
    reader.read(path, constraints=False)
    return reader.result()


@dataclass
class _Reader:
    text: str = ""
    constraints: str = ""
    indexes: tuple[Index, ...] = ()
    unnamed: bool = False
    pinned: bool = True
    prereleases: bool = False
    asked: dict[str, set[str]] = field(default_factory=dict)
    hashes: dict[str, set[str]] = field(default_factory=dict)
    constraint_hashes: dict[str, set[str]] = field(default_factory=dict)
    seen: set[tuple[Path, bool]] = field(default_factory=set)

    def result(self) -> RequirementLines:
        # As in pip, the hashes of a constraint apply to requirements that list none.
        listed = {**self.constraint_hashes, **self.hashes}
        return RequirementLines(
            text=self.text,
            constraints=self.constraints,
            hashes={name: frozenset(digests) for name, digests in listed.items()},
            indexes=self.indexes,
            asked={name: frozenset(extras) for name, extras in self.asked.items()},
            unnamed=self.unnamed,
            pinned=self.pinned,
            prereleases=self.prereleases,
        )

    def read(self, path: Path, *, constraints: bool) -> None:
        path = path.resolve()
        if (path, constraints) in self.seen:
            return
        self.seen.add((path, constraints))
        try:
            text = read_input(path).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise MalformedError(
                f"{path.name} is not UTF-8 text", hint="save it in UTF-8"
            ) from error
        if "\0" in text:
            raise MalformedError(f"{path.name} holds a NUL character", hint="save it as text")
        for number, line in _logical_lines(text):
            where = f"{path.name}:{number}"
            if line.startswith("-"):
                self._option(where, line, path.parent, constraints=constraints)
            else:
                self._requirement(where, line, constraints=constraints)

    def _option(self, where: str, line: str, folder: Path, *, constraints: bool) -> None:
        name, value = _split_option(where, line)
        if name in ("--requirement", "--constraint"):
            if "://" in value:
                raise UsageError(
                    f"{where}: {name} names a URL", hint="download that file and name it instead"
                )
            self.read(folder / value, constraints=constraints or name == "--constraint")
        elif name == "--editable":
            # uv allows only folders to be editable; a bundle contains built wheels anyway.
            editable = "" if _VERSION_CONTROL.match(value) else "-e "
            self._add(f"{editable}{value}", constraints=constraints)
            self.pinned = False
            self.unnamed = True
        elif name == "--find-links":
            self.text += f"--find-links {_found(where, value, folder)}\n"
        elif name == "--pre":
            self.prereleases = True
        elif name in _FOR_UV:
            self.text += f"{name} {value}".rstrip() + "\n"
            if name.endswith("index-url"):
                index = Index(url=value, default=name == "--index-url")
                self.indexes = (*self.indexes, index)
        elif name not in _WITHOUT_EFFECT:
            raise MalformedError(
                f"{where}: unknown option {name}", hint="remove it, or lock the project with uv"
            )

    def _requirement(self, where: str, line: str, *, constraints: bool) -> None:
        text, *options = _OPTIONS.split(line, maxsplit=1)
        _check_options(where, options[0] if options else "")
        text = text.rstrip()
        requirement = _parse(where, text)
        name = canonicalize_name(requirement.name) if requirement else _name_of_file(text)
        url = (requirement.url or "") if requirement else text
        listed = _hashes(where, [*_HASH.findall(line), *_FRAGMENT_HASH.findall(url)])
        if listed and name is None:
            raise MalformedError(
                f"{where}: a hash is listed for a requirement without a name",
                hint="write it as: name @ URL --hash=sha256:…",
            )
        self._add(text, constraints=constraints)
        hashes = self.constraint_hashes if constraints else self.hashes
        if listed and name is not None:
            hashes.setdefault(name, set()).update(listed)
        if constraints:
            return
        if name is None:
            self.unnamed = True
        else:
            extras = requirement.extras if requirement else ()
            self.asked.setdefault(name, set()).update(map(canonicalize_name, extras))
        self.pinned = self.pinned and name is not None and _is_pinned(requirement)

    def _add(self, text: str, *, constraints: bool) -> None:
        if constraints:
            self.constraints += f"{text}\n"
        else:
            self.text += f"{text}\n"


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield line numbers and lines, with continuations joined and comments removed."""
    pending = ""
    start = 0
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        start = start if pending else number
        if raw.endswith("\\") and not raw.lstrip().startswith("#"):
            pending += raw[:-1] + " "
            continue
        line = _VARIABLE.sub(_value, _COMMENT.sub("", pending + raw).strip())
        pending = ""
        if line:
            yield start, line


def _value(match: re.Match[str]) -> str:
    return os.environ.get(match[1]) or match[0]


def _split_option(where: str, line: str) -> tuple[str, str]:
    """Return name and value of `--name value`, `--name=value`, `-n value` or `-nvalue`."""
    # Quotes in a marker are part of it.
    line, semicolon, marker = line.partition(" ;")
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise MalformedError(f"{where}: {error}") from error
    name, equals, value = words[0].partition("=")
    if not name.startswith("--"):
        name, value = words[0][:2], words[0][2:]
    elif not equals:
        value = ""
    value = " ".join((value, *words[1:])).strip()
    return _ALIASES.get(name, name), f"{value}{semicolon}{marker}"


def _found(where: str, links: str, folder: Path) -> str | Path:
    """Return the URL of a page of links, or the absolute path of a folder of wheels."""
    if "://" in links:
        return links
    path = folder / links
    # Path.exists() of older Pythons raises where a name is too long.
    if not os.path.exists(path):
        raise UsageError(
            f"{where}: --find-links {links} does not exist",
            hint="name a folder of wheels, or a URL",
        )
    return path.resolve()


def _check_options(where: str, options: str) -> None:
    names = {word.partition("=")[0] for word in options.split() if word.startswith("-")}
    if others := sorted(names - {"--hash"}):
        raise UsageError(
            f"{where}: {', '.join(others)} for a single requirement is not supported",
            hint="build that wheel with pip, and pass the folder that it is in with --find-links",
        )


def _parse(where: str, text: str) -> Requirement | None:
    """Return a requirement, None for a path or URL without a name."""
    try:
        return Requirement(text)
    except RecursionError as error:
        raise MalformedError(
            f"{where}: not a requirement: its marker is nested too deep"
        ) from error
    except InvalidRequirement as error:
        if _PATH_LIKE.search(text):
            return None
        reason = redacted(str(error).splitlines()[0])
        raise MalformedError(
            f"{where}: not a requirement: {reason}", hint="examples: demo==1.0, demo[extra]>=1"
        ) from error


def _name_of_file(text: str) -> str | None:
    """Return the package name in the file name of a path or URL."""
    return project_of(file_name(re.split(r"[\s;\[]", text, maxsplit=1)[0].replace("\\", "/")))


def _hashes(where: str, found: list[tuple[str, str]]) -> set[str]:
    listed = {digest.lower() for kind, digest in found if kind == "sha256"}
    if (found and not listed) or any(len(digest) != 64 for digest in listed):
        raise MalformedError(
            f"{where}: the listed hashes are not sha256",
            hint="list sha256 hashes, as pip-compile and uv write them",
        )
    return listed


def _is_pinned(requirement: Requirement | None) -> bool:
    """Return whether a requirement allows one version or one file only."""
    if requirement is None or requirement.url is not None:
        return True
    pins = [spec for spec in requirement.specifier if spec.operator in ("==", "===")]
    return len(pins) == 1 and not pins[0].version.endswith(".*")
