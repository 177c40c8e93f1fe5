"""Projects whose locks and requirements are hostile, for `bundle create --dry-run`."""

from __future__ import annotations

from collections.abc import Mapping

from support.making.wheels import make_wheel
from vectors.vector import Vector

OPTIONS = ("--dry-run", "--platform", "manylinux_2_28_x86_64", "--python", "3.12")
_HASH = "sha256:" + "a" * 64
_PROJECT = b'[project]\nname = "demo"\nversion = "1.0"\ndependencies = ["pure"]\n'
_HEAD = "version = 1\nrevision = 3\nrequires-python = '>=3.9'\n"
_ROOT = (
    "[[package]]\nname = 'demo'\nversion = '1.0'\nsource = { virtual = '.' }\n"
    "dependencies = [{ name = 'pure' }]\n"
)
_SOURCE = "source = { registry = 'https://index.example/simple' }\n"
_WHEEL = (
    f"{{ url = 'https://index.example/pure-1.0-py3-none-any.whl', hash = '{_HASH}', size = 9 }}"
)
_PURE = f"[[package]]\nname = 'pure'\nversion = '1.0'\n{_SOURCE}wheels = [{_WHEEL}]\n"
_LOCK = f"{_HEAD}{_ROOT}{_PURE}"


def _lock(old: str, new: str) -> bytes:
    assert old in _LOCK
    return _LOCK.replace(old, new, 1).encode()


def _url(name: str) -> bytes:
    return _lock("pure-1.0-py3-none-any.whl", name)


def _depth(number: int) -> bytes:
    return f"{_LOCK}deep = {'[' * number}{']' * number}\n".encode()


def _long_chain(number: int) -> bytes:
    """Return a lock in which each package needs the next one."""
    packages = "".join(
        f"[[package]]\nname = 'p{n}'\nversion = '1.0'\n{_SOURCE}"
        f"dependencies = [{{ name = 'p{n + 1}' }}]\n"
        f"wheels = [{_WHEEL.replace('pure', f'p{n}')}]\n"
        for n in range(number)
    )
    last = _PURE.replace("pure", f"p{number}")
    return f"{_HEAD}{_ROOT.replace('pure', 'p0')}{packages}{last}".encode()


def _many_tags(number: int) -> str:
    parts = ("py3", "none", "any")
    return "-".join(".".join([part, *(f"{part}{n}" for n in range(number))]) for part in parts)


_UV: dict[str, tuple[int, str, bytes]] = {
    "empty": (4, "uv.lock", b""),
    "not-toml": (4, "uv.lock", b"\0\1\2"),
    "not-utf8": (4, "uv.lock", b"version = 1\nname = '\xff'\n"),
    "byte-order-mark": (4, "uv.lock", b"\xef\xbb\xbf" + _LOCK.encode()),
    "utf-16": (4, "uv.lock", _LOCK.encode("utf-16")),
    "key-twice": (4, "uv.lock", b"version = 1\n" + _LOCK.encode()),
    "depth": (4, "uv.lock", _depth(100_000)),
    "version-missing": (4, "uv.lock", _lock("version = 1\n", "")),
    "version-newer": (4, "upgrade wheelferry", _lock("version = 1\n", "version = 2\n")),
    "version-text": (4, "uv.lock", _lock("version = 1\n", "version = '1'\n")),
    "version-huge": (4, "uv.lock", _lock("version = 1\n", f"version = {'9' * 5000}\n")),
    "packages-no-list": (4, "package", f"{_HEAD}package = 1\n".encode()),
    "package-no-table": (4, "package", f"{_HEAD}package = [1]\n".encode()),
    "package-without-name": (4, "name", _lock("name = 'pure'\nversion", "version")),
    "name-no-text": (4, "name", _lock("name = 'pure'\nversion", "name = 1\nversion")),
    "name-outside": (
        4,
        "no package of the lock is pure",
        _lock("name = 'pure'\nversion", "name = '../evil'\nversion"),
    ),
    "name-with-escape": (
        4,
        "no package of the lock is pure",
        _lock("name = 'pure'\nversion", 'name = "pure\\u001b[2J"\nversion'),
    ),
    "version-of-package": (
        4,
        "is not a wheel of pure latest",
        _lock("'pure'\nversion = '1.0'", "'pure'\nversion = 'latest'"),
    ),
    "version-of-100000-digits": (
        4,
        "is not a wheel of pure",
        _lock("'pure'\nversion = '1.0'", f"'pure'\nversion = '{'1' * 100_000}x'"),
    ),
    "source-missing": (4, "source", _lock(_SOURCE, "")),
    "source-unknown": (4, "source", _lock("{ registry =", "{ carrier-pigeon =")),
    "source-no-table": (4, "source", _lock(_SOURCE, "source = 'x'\n")),
    "dependency-dangling": (4, "gone", _lock("[{ name = 'pure' }]", "[{ name = 'gone' }]")),
    "dependency-no-table": (4, "dependencies", _lock("[{ name = 'pure' }]", "['pure']")),
    "marker-code": (
        4,
        "marker",
        _lock("{ name = 'pure' }", "{ name = 'pure', marker = '__import__(\"os\")' }"),
    ),
    "marker-depth": (
        4,
        "nested too deep",
        _lock(
            "{ name = 'pure' }",
            f"{{ name = 'pure', marker = '{'(' * 50_000}os_name == \"x\"{')' * 50_000}' }}",
        ),
    ),
    "wheels-no-list": (4, "wheels", _lock(f"wheels = [{_WHEEL}]", "wheels = 1")),
    "wheel-outside": (
        4,
        "evil-1.0-py3-none-any.whl is not a wheel of pure 1.0",
        _url("%2e%2e%2fevil-1.0-py3-none-any.whl"),
    ),
    "wheel-of-another-name": (
        4,
        "evil-1.0-py3-none-any.whl is not a wheel of pure 1.0",
        _url("evil-1.0-py3-none-any.whl"),
    ),
    "wheel-of-another-version": (
        4,
        "pure-2.0-py3-none-any.whl is not a wheel of pure 1.0",
        _url("pure-2.0-py3-none-any.whl"),
    ),
    "wheel-with-escape": (
        5,
        "pure 1.0 has no wheel",
        _lock("'https://index.example/pure-", '"https://index.example/\\u001b[2Jpure-').replace(
            b"any.whl'", b'any.whl"'
        ),
    ),
    "wheel-of-a-billion-tags": (
        5,
        "pure 1.0 has no wheel",
        _url(f"pure-1.0-{_many_tags(1000)}.whl"),
    ),
    "file": (
        5,
        "lies outside the project",
        _lock("https://index.example/pure", "file:///etc/pure"),
    ),
    "hash-md5": (5, "states no sha256", _lock(_HASH, "md5:" + "a" * 32)),
    "hash-short": (4, "hash", _lock(_HASH, "sha256:aa")),
    "hash-of-no-kind": (5, "states no sha256", _lock(_HASH, "a" * 64)),
    "hash-missing": (5, "states no sha256", _lock(f"hash = '{_HASH}', ", "")),
    "size-negative": (4, "size", _lock("size = 9", "size = -9")),
    "size-text": (4, "size", _lock("size = 9", "size = '9'")),
    "size-truth": (4, "size", _lock("size = 9", "size = true")),
    "path-outside": (
        5,
        "lies outside the project",
        _lock(_SOURCE, "source = { path = '../../evil-1.0-py3-none-any.whl' }\n"),
    ),
    "path-absolute": (
        5,
        "lies outside the project",
        _lock(_SOURCE, "source = { directory = '/etc' }\n"),
    ),
    "path-with-nul": (
        4,
        "NUL",
        _lock(_SOURCE, 'source = { path = "a\\u0000/pure-1.0-py3-none-any.whl" }\n'),
    ),
    "git-option": (4, "git", _lock(_SOURCE, "source = { git = '--upload-pack=touch evil' }\n")),
    "git-transport": (
        5,
        "is a file in a git repository",
        _lock(_SOURCE, f"source = {{ git = 'ext::sh -c touch evil#{'a' * 40}' }}\n"),
    ),
    "git-without-commit": (
        4,
        "commit",
        _lock(_SOURCE, "source = { git = 'https://index.example/x' }\n"),
    ),
    "requires-python": (4, "requires-python", _lock("'>=3.9'", "'any'")),
    "two-roots-of-one-name": (4, "", f"{_LOCK}{_ROOT}".encode()),
    "old-spelling": (4, "uv lock", _LOCK.replace("[[package]]", "[[distribution]]").encode()),
}
_PYLOCK_HEAD = "lock-version = '1.0'\ncreated-by = 'x'\n"
_PYLOCK = (
    f"{_PYLOCK_HEAD}[[packages]]\nname = 'pure'\nversion = '1.0'\nwheels = [{{ name = "
    f"'pure-1.0-py3-none-any.whl', url = 'https://index.example/pure-1.0-py3-none-any.whl', "
    f"size = 9, hashes = {{ sha256 = '{'a' * 64}' }} }}]\n"
)


def _pylock(old: str, new: str) -> bytes:
    assert old in _PYLOCK
    return _PYLOCK.replace(old, new, 1).encode()


_PYLOCKS: dict[str, tuple[int, str, bytes]] = {
    "empty": (4, "pylock.toml", b""),
    "not-toml": (4, "pylock.toml", b"\0"),
    "version-newer": (4, "pylock.toml", _pylock("'1.0'", "'2.0'")),
    "version-garbage": (4, "pylock.toml", _pylock("'1.0'", "'x'")),
    "packages-no-list": (4, "pylock.toml", f"{_PYLOCK_HEAD}packages = 1\n".encode()),
    "name-outside": (4, "pylock.toml", _pylock("name = 'pure'\n", "name = '../evil'\n")),
    "wheel-outside": (4, "pylock.toml", _pylock("'pure-1.0-py3", "'../pure-1.0-py3")),
    "wheel-of-another-name": (
        4,
        "is not consistent with package name",
        _pylock("'pure-1.0-py3", "'evil-1.0-py3"),
    ),
    "wheel-of-a-billion-tags": (
        4,
        "has too many tags",
        _pylock("py3-none-any.whl', url", f"{_many_tags(1000)}.whl', url"),
    ),
    "hashes-none": (4, "pylock.toml", _pylock(f"sha256 = '{'a' * 64}'", "")),
    "hashes-weak": (
        5,
        "states no sha256",
        _pylock(f"sha256 = '{'a' * 64}'", f"md5 = '{'a' * 32}'"),
    ),
    "marker-code": (
        4,
        "pylock.toml",
        _pylock("version = '1.0'\nwheels", "version = '1.0'\nmarker = 'exit()'\nwheels"),
    ),
    "marker-depth": (
        4,
        "maximum recursion depth exceeded",
        _pylock(
            "version = '1.0'\nwheels",
            f"version = '1.0'\nmarker = '{'(' * 50_000}os_name == \"x\"{')' * 50_000}'\nwheels",
        ),
    ),
    "path-outside": (
        5,
        "lies outside the project",
        _pylock(
            "url = 'https://index.example/pure-1.0-py3-none-any.whl'",
            "path = '../../pure-1.0-py3-none-any.whl'",
        ),
    ),
    "path-with-nul": (
        4,
        "NUL",
        _pylock(
            "url = 'https://index.example/pure-1.0-py3-none-any.whl'",
            'path = "a\\u0000/pure-1.0-py3-none-any.whl"',
        ),
    ),
    "depth": (4, "pylock.toml", f"{_PYLOCK}[tool]\nx = {'[' * 100_000}\n".encode()),
}
_PIN = f"pure==1.0 --hash={_HASH}"
_REQUIREMENTS: dict[str, tuple[int, str, Mapping[str, bytes]]] = {
    name: (code, words, {"requirements.txt": data})
    for name, (code, words, data) in {
        "not-utf8": (4, "requirements.txt", b"\xff\xfe\xfa"),
        "nul": (4, "requirements.txt", b"pure\0==1.0\n"),
        "noise": (4, "requirements.txt", bytes(range(1, 128)) * 10),
        "name-with-escape": (4, "not a requirement", b"pu\x1b[2Jre==1.0\n"),
        "option-unknown": (4, "unknown option --evil", b"--evil\n"),
        "option-that-runs": (2, "--config-settings", b"pure==1.0 --config-settings=x=y\n"),
        "hash-weak": (4, "are not sha256", b"pure==1.0 --hash=md5:" + b"a" * 32 + b"\n"),
        "hash-short": (4, "are not sha256", b"pure==1.0 --hash=sha256:aa\n"),
        "marker-code": (4, "requirements.txt", b"pure==1.0 ; __import__('os')\n"),
        "marker-depth": (4, "nested too deep", b"pure==1.0 ; " + b"(" * 50_000 + b"\n"),
        "include-with-nul": (4, "NUL", b"-r a\0b\n"),
        "find-links-with-nul": (4, "NUL", b"--find-links a\0b\npure==1.0\n"),
        "find-links-too-long": (
            2,
            "does not exist",
            b"--find-links " + b"a" * 5000 + b"\npure==1.0\n",
        ),
        "include-missing": (7, "gone.txt", b"-r gone.txt\n"),
        "include-of-a-device": (7, "/dev/zero is a device", b"-r /dev/zero\n"),
        "include-of-a-folder": (7, "cannot be read", b"-r .\n"),
        "continuation-without-end": (4, "requirements.txt", b"pure==1.0 \\\n" * 100_000),
        "long-line": (4, "requirements.txt", b"a" * 2**24 + b" ;\n"),
        "quotes": (4, "requirements.txt", b"-e 'x\n"),
    }.items()
}


def lock_vectors() -> list[Vector]:
    """Return the vectors of this module."""
    families = (("uv", "uv.lock", _UV), ("pylock", "pylock.toml", _PYLOCKS))
    return [
        *(
            Vector(
                name=f"{family}-{name}",
                code=code,
                words=words,
                files=lambda file=file, data=data: {file: data, "pyproject.toml": _PROJECT},  # type: ignore[misc]
                options=OPTIONS,
            )
            for family, file, vectors in families
            for name, (code, words, data) in vectors.items()
        ),
        *(
            Vector(
                name=f"requirements-{name}",
                code=code,
                words=words,
                files=lambda files=files: files,  # type: ignore[misc]
                options=OPTIONS,
            )
            for name, (code, words, files) in _REQUIREMENTS.items()
        ),
        Vector(
            name="control-uv",
            code=0,
            words="",
            files=lambda: {"uv.lock": _LOCK.encode(), "pyproject.toml": _PROJECT},
            options=OPTIONS,
        ),
        Vector(
            name="control-long-chain",
            code=0,
            words="",
            files=lambda: {"uv.lock": _long_chain(2000), "pyproject.toml": _PROJECT},
            options=OPTIONS,
        ),
        Vector(
            name="control-pylock",
            code=0,
            words="",
            files=_here,
            options=OPTIONS,
        ),
    ]


def _here() -> dict[str, bytes]:
    """Return the pylock.toml and its wheel, whose metadata is looked into."""
    wheel = make_wheel("pure")
    lock = _PYLOCK.replace("url = 'https://index.example/pure", "path = './pure")
    return {
        "pylock.toml": lock.replace(_HASH.removeprefix("sha256:"), wheel.sha256)
        .replace("size = 9", f"size = {wheel.size}")
        .encode(),
        wheel.file_name: wheel.data,
    }
