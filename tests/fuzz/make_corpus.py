"""Writes the seeds of the corpus anew: python tests/fuzz/make_corpus.py"""

from __future__ import annotations

import functools
import sys
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzz.fuzzing import CORPUS
from fuzz.targets import CUT
from support.making.archives import packed_frames
from support.making.bundles import make_manifest
from support.making.manifests import TARGETS
from support.making.python_archives import interpreter, member, tar_of
from vectors import raw_tar
from vectors.good_bundle import alice, good_bundle, mallory, plain_frames, trusting, wheels
from vectors.good_wheel import INFO, contents, entries
from vectors.locks import lock_vectors
from vectors.raw_zip import Ending, build, descriptor
from vectors.zip_controls import ZIP_CONTROLS
from wheelferry_installer.environment.tree_changes import Changes, KnownFile
from wheelferry_schemas.accepted import Accepted, AcceptedBundle
from wheelferry_schemas.accepted import serialize as serialize_accepted
from wheelferry_schemas.bundle import manifest
from wheelferry_schemas.bundle.self_contained import BUNDLE, SHEBANG, local_header
from wheelferry_schemas.models import canonical_json
from wheelferry_schemas.receipt import InstalledFile, InstalledPackage, Receipt
from wheelferry_schemas.receipt import serialize as serialize_receipt

_OPENSSH = Path(__file__).resolve().parent.parent / "vectors/openssh"
_SIGNERS = (
    b"# who may sign\n"
    b'alice@example,bob namespaces="wheelferry.*,!git",valid-after="20200101Z" '
    + alice().public.line().encode()
    + b" comment\n\n"
    + trusting(mallory())
)
_METADATA = (
    b"Metadata-Version: 2.4\nName: foo\nVersion: 1.0\nSummary: what it is\nLicense-Expression: MIT\n"
    b"Classifier: License :: OSI Approved :: MIT License\nRequires-Dist: bar>=1 ; extra == 'x'\n\n"
    b"A description.\n"
)
_ENTRY_POINTS = (
    b"[console_scripts]\nfoo = foo:main\nfoo3.12 = foo.sub : Class.main [extra]\n"
    b"[gui_scripts]\nfoo-gui = foo:gui\n[pytest11]\n../x = 100% %(y)s\n"
)
_REQUIREMENTS = (
    b"# made by hand\n-c constraints.txt\n--index-url https://index.example/simple\n"
    b"pure[extra]==1.0 ; python_version > '3' \\\n    --hash=sha256:" + b"a" * 64 + b"\n"
    b"other @ https://index.example/other-1.0-py3-none-any.whl#sha256=" + b"b" * 64 + b"\n"
    b"-e ./folder\n./wheel-1.0-py3-none-any.whl\n"
)
_JSON_PAGE = (
    b'{"meta": {"api-version": "1.1"}, "name": "foo", "files": [{"filename": '
    b'"foo-1.0-py3-none-any.whl", "url": "../files/foo-1.0-py3-none-any.whl", "hashes": '
    b'{"sha256": "' + b"a" * 64 + b'"}, "size": 3, "yanked": false}]}'
)
_HTML_PAGE = (
    b'<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.0">'
    b'<base href="https://index.example/files/"></head><body><a href="foo-1.0-py3-none-any.whl'
    b"#sha256=" + b"a" * 64 + b'" data-yanked="">foo-1.0-py3-none-any.whl</a></body></html>'
)


def _relocatable() -> bytes:
    """Return the lock of a project that needs what the good bundle holds, in each way."""
    packages = [("app", '{ virtual = "." }', ""), ("git", '{ git = "https://git.example/x" }', "")]
    for made in wheels():
        url = f"https://index.example/{made.file_name}"
        listed = f'wheels = [{{ url = "{url}", hash = "sha256:{made.sha256}" }}]\n'
        name = made.file_name.partition("-")[0]
        packages.append((name, '{ registry = "https://index.example/simple" }', listed))
    edges = "".join(f'{{ name = "{name}" }}, ' for name, _, _ in packages[1:])
    return (
        'version = 1\nrequires-python = ">=3.10"\n[manifest]\nmembers = ["app"]\n'
        + "".join(
            f'[[package]]\nname = "{name}"\nversion = "1.0"\nsource = {source}\n{more}'
            + (f"dependencies = [{edges}]\n" if name == "app" else "")
            for name, source, more in packages
        )
    ).encode()


def _python_tree() -> bytes:
    folder = member("python/lib", kind=tarfile.DIRTYPE, mode=0o755)
    link = member("python/bin/python", kind=tarfile.SYMTYPE, link="python3")
    readme = member("readme.txt", b"not of it")
    module = member("python/lib/" + "long" * 40 + ".py", b"x = 1\n")
    return tar_of([folder, interpreter("python/bin/python3"), link, module, readme])


def _gnu_tar() -> bytes:
    name, target = b"lib/" + b"n" * 120, b"t" * 120
    long = raw_tar.long_name(target, b"K") + raw_tar.long_name(name)
    return (
        raw_tar.folder(b"./", magic=raw_tar.GNU)
        + raw_tar.entry(b"./a", b"content", magic=raw_tar.GNU)
        + long
        + raw_tar.link(name[:100], target[:100], magic=raw_tar.GNU)
        + raw_tar.END
    )


def _accepted() -> bytes:
    bundles = [
        AcceptedBundle(name=name, created="2023-11-14T22:13:20Z", manifest_sha256="a" * 64)
        for name in ("app", "tools-a")
    ]
    return serialize_accepted(Accepted(bundles=tuple(bundles)))


def _journal() -> bytes:
    file = KnownFile(path="lib/module.py", size=5, modified=1_700_000_000_000_000_000)
    removed = (("lib/old/sub", 0o750), ("lib/old", 0o755))
    planned = Changes(taken=(file,), removed=removed, made=("lib/new",), put=(file,), keep=True)
    return planned.serialize()


def _receipt() -> bytes:
    return serialize_receipt(
        Receipt(
            format=1,
            generation="a" * 32,
            tool="wheelferry",
            installed="2023-11-14T22:13:20Z",
            bundle="bundle.tar.zst",
            bundle_name="demo",
            bundle_created="2023-11-14T22:13:20Z",
            manifest_sha256="a" * 64,
            target="cp312-linux",
            interpreter="/usr/bin/python3",
            python="3.12.4",
            compiled=False,
            signers=("alice SHA256:x",),
            packages=(
                InstalledPackage(
                    name="pure",
                    version="1.0",
                    wheel="pure-1.0-py3-none-any.whl",
                    record="lib/pure-1.0.dist-info/RECORD",
                    record_sha256="b" * 64,
                ),
            ),
            files=(InstalledFile(path="pyvenv.cfg", sha256="c" * 64),),
        )
    )


def _self_contained(bundle: bytes) -> bytes:
    head = SHEBANG + local_header(BUNDLE, zlib.crc32(bundle), len(bundle))
    return head + bundle + b"what installs it"


@functools.cache
def corpus() -> Mapping[str, Mapping[str, bytes]]:
    """Return the seeds of each target by name."""
    locks = {vector.name: vector.files() for vector in lock_vectors() if not vector.code}
    manifests = [
        manifest.serialize(make_manifest(wheels(), [target])) for target in (TARGETS[0], TARGETS[2])
    ]
    return {
        "archive": {"good": good_bundle(), "self-contained": _self_contained(good_bundle())},
        "frame": {str(n): packed for n, packed in enumerate(packed_frames(good_bundle())[2:])},
        "tar-stream": {"good": CUT.join(plain_frames())},
        "seek-table": {"good": good_bundle()},
        "tar-head": {"good": CUT.join(plain_frames())},
        "manifest": {str(number): data for number, data in enumerate(manifests)},
        "signature": {path.stem: path.read_bytes() for path in sorted(_OPENSSH.glob("*.sig"))},
        "allowed-signers": {"good": _SIGNERS},
        "key-file": {"good": alice().public.line().encode() + b" alice@example\n"},
        "wheel": {
            "good": build(entries()),
            "zip64-end": build(entries(), Ending(zip64=True)),
            "descriptor": build([descriptor(entry) for entry in entries()]),
            "zip64": ZIP_CONTROLS["zip64"]().data,
        },
        "record": {"good": contents()[f"{INFO}/RECORD"]},
        "entry-points": {"good": _ENTRY_POINTS},
        "metadata": {"good": _METADATA},
        "uv-lock": {"good": locks["control-uv"]["uv.lock"]},
        "relocation": {"good": _relocatable(), "other": locks["control-uv"]["uv.lock"]},
        "index-page": {"json": _JSON_PAGE, "html": _HTML_PAGE},
        "tar-headers": {"posix": _python_tree(), "gnu": _gnu_tar()},
        "python-tree": {"good": _python_tree()},
        "pylock": {"good": locks["control-pylock"]["pylock.toml"]},
        "requirements": {"good": _REQUIREMENTS},
        "target": {str(n): canonical_json(t.plain()) for n, t in enumerate(TARGETS[:2])},
        "receipt": {"good": _receipt()},
        "journal": {"good": _journal()},
        "accepted": {"good": _accepted()},
    }


if __name__ == "__main__":
    for target, made in corpus().items():
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
        for name, data in made.items():
            (CORPUS / target / name).write_bytes(data)
