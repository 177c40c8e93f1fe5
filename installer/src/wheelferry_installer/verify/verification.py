"""Verifies a bundle: first who signed it, then that it is what its manifest says.

- Signatures are checked over the manifest's exact bytes before those are parsed, and before any
  other member is decompressed.
- The time that counts is this host's, never the manifest's.
- Headers and frame sizes are compared with those that follow from the manifest.
- A member's content leaves `VerifiedBundle` only together with the check of its hash.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from wheelferry_installer.system import disk
from wheelferry_installer.verify import signatures
from wheelferry_installer.verify.archive_reader import OpenedBundle
from wheelferry_installer.verify.policy import UNKNOWN_KEY, Policy, SignatureVerdict
from wheelferry_installer.verify.python_entries import read_python
from wheelferry_installer.wheel.startup import StartupFile, startup_files
from wheelferry_installer.wheel.verified_wheel import VerifiedWheel
from wheelferry_schemas.bundle import layout, manifest
from wheelferry_schemas.bundle.layout import Member
from wheelferry_schemas.bundle.manifest import Manifest, Package
from wheelferry_schemas.errors import (
    MalformedError,
    OutdatedError,
    TamperedError,
    TransferError,
    TrustError,
    raise_together,
)
from wheelferry_schemas.fields import format_timestamp, parse_timestamp
from wheelferry_schemas.trust import sshsig

if TYPE_CHECKING:
    from typing_extensions import Self

_DAY = 24 * 60 * 60


class VerifiedBundle:
    """A bundle whose signatures were accepted and whose layout matches its manifest.

    Only `verify` makes one. `is_in_program` is set for self-contained files, the rest of which no
    signature covers. `signers` lists accepted and refused signatures; none is accepted only if the
    caller passed `ACCEPT_UNSIGNED`.
    """

    def __init__(
        self, opened: OpenedBundle, read: Manifest, signers: tuple[SignatureVerdict, ...]
    ) -> None:
        self.path = opened.archive.path
        self.is_in_program = not opened.archive.is_whole_file
        self.manifest = read
        self.manifest_bytes = opened.head.manifest.content
        self.signature_members = opened.head.signatures
        self.signers = signers
        self._archive = opened.archive
        self._first_frames = _foretold_frames(opened, read)

    @property
    def descriptor(self) -> int:
        """The descriptor of the open file; a process that inherits it can use a pickled copy."""
        return self._archive.descriptor

    @property
    def sha256(self) -> str:
        """The hash of the manifest, which identifies the bundle."""
        return hashlib.sha256(self.manifest_bytes).hexdigest()

    @property
    def members(self) -> tuple[Member, ...]:
        """The members after the signatures, in order."""
        return layout.members(self.manifest)

    def read(self, member: Member, write: Callable[[memoryview], object]) -> None:
        """Pass the content of a member to `write`, piece by piece, and check its hash at the end.

        Nothing of it may be used before this returns. Raises `TamperedError`.
        """
        try:
            self._read(member, write)
        except TamperedError as error:
            raise TamperedError(f"{member.name}: {error.message}") from error

    def check_end(self) -> None:
        """Check that only the end of the archive follows the last member."""
        last = len(self._archive.frames) - 1
        if self._archive.frame(last, len(layout.END_OF_ARCHIVE)) != layout.END_OF_ARCHIVE:
            raise TamperedError("the end of the archive is not made of zeros")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    def _read(self, member: Member, write: Callable[[memoryview], object]) -> None:
        head = layout.header(member.name, member.size, self.manifest.created_at)
        tail = layout.padding(member.size)
        number = self._first_frames[member.name]
        digest = hashlib.sha256()
        left = member.size
        for frame_size in layout.frame_sizes(len(head) + member.size + len(tail)):
            content = memoryview(self._archive.frame(number, frame_size))
            if content[: len(head)] != head:
                raise TamperedError("its header is not the expected one")
            body = content[len(head) : len(head) + left]
            rest = content[len(head) + len(body) :]
            if rest != tail[: len(rest)]:
                raise TamperedError("it is not padded with zeros")
            digest.update(body)
            write(body)
            left -= len(body)
            head, tail = b"", tail[len(rest) :]
            number += 1
        if digest.hexdigest() != member.sha256:
            raise TamperedError("its hash is not the one that the manifest states")


def verify(
    opened: OpenedBundle, policy: Policy, now: int, *, allow_future: bool = False
) -> VerifiedBundle:
    """Verify the signatures, the manifest and the layout of a bundle.

    `now` is in seconds since the epoch. Raises `TrustError`, `MalformedError`, and `OutdatedError`
    where the bundle has expired, or, unless that is allowed, comes from the future.
    """
    signers = judge_signatures(opened, policy, now)
    policy.demand(opened.archive.path.name, signers)
    read = manifest.parse(opened.head.manifest.content)
    _check_name(read, policy)
    _check_expiry(read, now)
    bundle = VerifiedBundle(opened, read, signers)
    if not allow_future:
        _check_future(read, now)
    return bundle


def verify_contents(
    bundle: VerifiedBundle,
    packages: Iterable[Package],
    on_progress: Callable[[str, int], None] = lambda _name, _size: None,
) -> list[StartupFile]:
    """Check every member's hash, and that wheels of `packages` and Pythons can be installed.

    Returns the files of the wheels that Python runs when it starts. Wheels are parsed from the
    bytes that were hashed, but not unpacked: only an installation compares their files with RECORD.
    Raises `MalformedError` that names all bad members.
    """
    wheels = {layout.wheel_name(package.wheel): package.wheel for package in packages}
    pythons = {layout.python_name(python.name): python for python in bundle.manifest.pythons}
    folding = {t.id for t in bundle.manifest.targets if t.markers.sys_platform != "linux"}
    found: list[StartupFile] = []

    def check(member: Member) -> None:
        wheel, python = wheels.get(member.name), pythons.get(member.name)
        if wheel is None and python is None:
            bundle.read(member, lambda piece: on_progress(member.name, len(piece)))
            return
        with disk.spool(member.size) as file:

            def keep(piece: memoryview) -> None:
                try:
                    file.write(piece)
                except OSError as error:
                    raise TransferError(
                        f"{member.name} could not be written to a temporary file: {error.strerror}",
                        hint=f"free space in {tempfile.gettempdir()}, or name another folder: "
                        "TMPDIR=/var/tmp bundle …",
                    ) from error
                on_progress(member.name, len(piece))

            bundle.read(member, keep)
            if wheel is not None:
                found.extend(startup_files(wheel, VerifiedWheel(file, wheel).hashes))
            elif python is not None:
                folds_case = not folding.isdisjoint(python.targets)
                read_python(file, python.name, folds_case=folds_case)

    for_all_members(bundle, check)
    return found


def for_all_members(bundle: VerifiedBundle, do: Callable[[Member], None]) -> None:
    """Pass every member to `do`, which checks it, and check the end of the archive.

    A bad member does not stop the others; raises `MalformedError` that names all bad ones.
    """
    problems = []
    for member in bundle.members:
        try:
            do(member)
        except MalformedError as error:
            problems.append(error)
    try:
        bundle.check_end()
    except MalformedError as error:
        problems.append(error)
    raise_together(problems, f"{len(problems)} parts of the bundle are damaged or tampered with")


def judge_signatures(
    opened: OpenedBundle, policy: Policy | None, now: int
) -> tuple[SignatureVerdict, ...]:
    """Return whether each signature counts here; without a policy no key is known."""
    signatures_by_name = {member.name: member.content for member in opened.head.signatures}
    return judge_stored(opened.head.manifest.content, signatures_by_name, policy, now)


def judge_stored(
    manifest_bytes: bytes, stored: Mapping[str, bytes], policy: Policy | None, now: int
) -> tuple[SignatureVerdict, ...]:
    """Return the verdicts on signatures, by file name, that are stored beside a manifest."""
    return tuple(
        _judge(name, content, manifest_bytes, policy, now) for name, content in stored.items()
    )


def _judge(
    member: str, content: bytes, message: bytes, policy: Policy | None, now: int
) -> SignatureVerdict:
    key = name = problem = None
    try:
        signature = sshsig.decode(content)
        key = signature.key
        signatures.check(signature, message, sshsig.NAMESPACE)
    except MalformedError as error:
        problem = error.message
    else:
        problem = UNKNOWN_KEY
        if policy is not None:
            name, problem = policy.refusal(signature.key, sshsig.NAMESPACE, now)
    return SignatureVerdict(member=member, key=key, name=name, problem=problem)


def _check_name(read: Manifest, policy: Policy) -> None:
    problem = policy.refusal_of_name(read.name)
    if problem is not None:
        raise TrustError(
            f"this host accepts no bundle named {read.name!r}: {problem}",
            hint="is it the right bundle? if it is, add its name to names in policy.ini",
        )


def _check_future(read: Manifest, now: int) -> None:
    if comes_from_future(read, now):
        raise OutdatedError(
            f"the bundle was made at {read.created}, and by this host's clock it is "
            f"{format_timestamp(now)}",
            hint="set the clock, or ask for a bundle with the right date; --allow-future takes it "
            "where only this host's clock is wrong",
        )


def comes_from_future(read: Manifest, now: int) -> bool:
    """Return whether a bundle is dated more than a day ahead of this host's clock."""
    return read.created_at > now + _DAY


def _check_expiry(read: Manifest, now: int) -> None:
    if read.expires is not None and now >= parse_timestamp(read.expires):
        raise OutdatedError(
            f"the bundle expired at {read.expires}",
            hint="ask whoever made it for a current one; if it is current, set this host's clock",
        )


def _foretold_frames(opened: OpenedBundle, read: Manifest) -> dict[str, int]:
    """Return the first frame of each member, after comparing the layout with the manifest.

    Raises `MalformedError` if headers of the head, or the number or sizes of the frames, differ.
    """
    created = read.created_at
    for stated in (opened.head.manifest, *opened.head.signatures):
        if stated.header != layout.header(stated.name, len(stated.content), created):
            raise TamperedError(f"{stated.name}: its header is not the expected one")
    first = {}
    expected: list[int] = []
    for member in layout.members(read):
        first[member.name] = opened.head.next_frame + len(expected)
        expected += layout.frame_sizes(layout.stream_size(member.name, member.size, created))
    expected.append(len(layout.END_OF_ARCHIVE))
    found = [frame.size for frame in opened.archive.frames[opened.head.next_frame :]]
    if found != expected:
        raise TamperedError("the members of the bundle are not those in its manifest")
    return first
