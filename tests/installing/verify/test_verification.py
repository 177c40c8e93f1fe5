from __future__ import annotations

import errno
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest

from support.making.archives import (
    NOW,
    chance,
    examine,
    join,
    join_plain,
    member,
    pack,
    packed_frames,
    plain_frames,
    policy_of,
    replaced,
)
from support.making.bundles import make_bundle
from support.making.wheels import TinyWheel, make_wheel
from support.running.ssh import fixed_key
from wheelferry_bundler.sign.signing_keys import SigningKey
from wheelferry_installer.system import disk
from wheelferry_installer.verify import verification
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.policy import Policy, SignatureVerdict
from wheelferry_installer.verify.signatures import check
from wheelferry_installer.verify.verification import verify, verify_contents
from wheelferry_installer.wheel.startup import StartupFile
from wheelferry_installer.wheel.verified_wheel import VerifiedWheel
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.manifest import serialize
from wheelferry_schemas.errors import (
    MalformedError,
    TamperedError,
    TransferError,
    TrustError,
    WheelferryError,
)
from wheelferry_schemas.trust import sshsig

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

END = layout.END_OF_ARCHIVE
ALICE, BOB = fixed_key("alice"), fixed_key("bob")
POLICY = policy_of(ALICE)
Examine = Callable[[bytes], tuple[SignatureVerdict, ...]]


@pytest.fixture
def examine_bytes(tmp_path: Path) -> Examine:
    """Does all that `bundle verify` does with these bytes, on a host that trusts alice."""

    def examine_them(data: bytes) -> tuple[SignatureVerdict, ...]:
        path = tmp_path / "bundle.tar.zst"
        path.write_bytes(data)
        return examine(path, POLICY)

    return examine_them


class _FullDisk(BytesIO):
    def write(self, _data: ReadableBuffer, /) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _bundle(tmp_path: Path, *keys: SigningKey) -> Path:
    return make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")], keys=keys)


def _refusal(path: Path, policy: Policy, now: int = NOW) -> WheelferryError:
    with pytest.raises(WheelferryError) as caught:
        examine(path, policy, now)
    return caught.value


def test_accepts_intact_bundle(examine_bytes: Examine, small_bundle: bytes) -> None:
    assert examine_bytes(small_bundle) == (
        SignatureVerdict(
            member="signatures/1.sig",
            key=ALICE.public,
            name="alice",
            problem=None,
        ),
    )


def test_accepts_wheel_of_several_frames(tmp_path: Path) -> None:
    noise = chance(0).randbytes(2 * layout.FRAME_SIZE + 1000)
    for size in (layout.FRAME_SIZE - 512, layout.FRAME_SIZE - 511, len(noise)):
        wheel = TinyWheel(file_name="big-1.0-py3-none-any.whl", data=noise[:size])
        path = make_bundle(tmp_path / "bundle.tar.zst", [wheel], keys=[ALICE])
        assert examine(path, POLICY)


def test_gives_out_the_bytes_of_a_member(tmp_path: Path) -> None:
    opened = open_bundle(_bundle(tmp_path, ALICE))
    bundle = verify(opened, POLICY, NOW)
    pieces: list[bytes] = []
    bundle.read(bundle.members[-1], lambda piece: pieces.append(bytes(piece)))
    bundle.close()
    assert b"".join(pieces) == make_wheel("pure").data


def test_tells_how_far_it_is(tmp_path: Path) -> None:
    bundle = verify(open_bundle(_bundle(tmp_path, ALICE)), POLICY, NOW)
    told: list[tuple[str, int]] = []
    verify_contents(bundle, bundle.manifest.packages, lambda *piece: told.append(piece))
    bundle.close()
    assert told == [(member.name, member.size) for member in bundle.members]


def test_tells_what_was_signed_and_by_whom(tmp_path: Path) -> None:
    path = _bundle(tmp_path, ALICE)
    bundle = verify(open_bundle(path), POLICY, NOW)
    bundle.close()
    assert bundle.path == path
    assert serialize(bundle.manifest) == bundle.manifest_bytes
    (signature,) = bundle.signature_members
    check(sshsig.decode(signature.content), bundle.manifest_bytes, sshsig.NAMESPACE)


def test_looks_into_wheels_for_what_python_runs(tmp_path: Path) -> None:
    started = make_wheel("started", files={"a.pth": b"import a\n"})
    path = make_bundle(tmp_path / "bundle.tar.zst", [started, make_wheel("pure")], keys=[ALICE])
    bundle = verify(open_bundle(path), POLICY, NOW)
    packages = bundle.manifest.packages
    assert verify_contents(bundle, packages) == [StartupFile(started.file_name, "a.pth")]
    assert verify_contents(bundle, [p for p in packages if p.name == "pure"]) == []
    bundle.close()


def test_parses_no_wheel_whose_hash_is_not_the_one_stated(
    tmp_path: Path, small_bundle: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def note(file: BinaryIO, file_name: str) -> VerifiedWheel:
        parsed.append(file_name)
        return VerifiedWheel(file, file_name)

    monkeypatch.setattr(verification, "VerifiedWheel", note)
    plains = plain_frames(small_bundle)
    plains[4] = plains[4][:600] + b"evil" + plains[4][604:]
    path = tmp_path / "bundle.tar.zst"
    path.write_bytes(join_plain(plains))
    bundle = verify(open_bundle(path), POLICY, NOW)
    with pytest.raises(TamperedError, match="its hash is not"):
        verify_contents(bundle, bundle.manifest.packages)
    bundle.close()
    assert parsed == ["pure-1.0-py3-none-any.whl"]


def test_large_wheels_are_not_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "IN_MEMORY", 100)
    bundle = verify(open_bundle(_bundle(tmp_path, ALICE)), POLICY, NOW)
    assert verify_contents(bundle, bundle.manifest.packages) == []
    monkeypatch.setattr(disk, "spool", lambda _size: _FullDisk())
    with pytest.raises(TransferError, match="No space left on device") as caught:
        verify_contents(bundle, bundle.manifest.packages)
    bundle.close()
    assert "TMPDIR" in str(caught.value.hint)


# Damage: nobody means harm.


@pytest.mark.parametrize("number", range(8))
def test_refuses_bundle_cut_at_the_end_of_a_member(
    examine_bytes: Examine, small_bundle: bytes, number: int
) -> None:
    frames = packed_frames(small_bundle)
    assert len(frames) == 7
    with pytest.raises(TamperedError):
        examine_bytes(b"".join(frames[:number]))


@pytest.mark.parametrize("number", range(1, 7))
def test_refuses_bundle_cut_at_the_end_of_a_member_with_a_table_to_match(
    examine_bytes: Examine, small_bundle: bytes, number: int
) -> None:
    with pytest.raises((TamperedError, TrustError)):
        examine_bytes(join_plain(plain_frames(small_bundle)[:number]))


def test_refuses_bundle_cut_anywhere(examine_bytes: Examine, small_bundle: bytes) -> None:
    for size in chance(1).sample(range(len(small_bundle)), 100):
        with pytest.raises(TamperedError):
            examine_bytes(small_bundle[:size])


@pytest.mark.parametrize("tail", [b"\0", b"\n", bytes(512), pack(END), b"x" * 100_000])
def test_refuses_bytes_after_the_end(
    examine_bytes: Examine, small_bundle: bytes, tail: bytes
) -> None:
    with pytest.raises(TamperedError):
        examine_bytes(small_bundle + tail)


def test_refuses_bytes_before_the_beginning(examine_bytes: Examine, small_bundle: bytes) -> None:
    with pytest.raises(TamperedError, match="do not fill the file"):
        examine_bytes(b"#!/bin/sh\n" + small_bundle)


def test_refuses_bundle_twice_over(examine_bytes: Examine, small_bundle: bytes) -> None:
    with pytest.raises(TamperedError, match="do not fill the file"):
        examine_bytes(small_bundle * 2)


def test_refuses_every_flipped_bit_that_changes_anything(
    examine_bytes: Examine, small_bundle: bytes
) -> None:
    original = plain_frames(small_bundle)
    refused = 0
    for position in chance(2).sample(range(len(small_bundle) * 8), 300):
        flipped = bytearray(small_bundle)
        flipped[position // 8] ^= 1 << position % 8
        try:
            examine_bytes(bytes(flipped))
        except (TamperedError, TrustError):
            refused += 1
        else:
            # zstd has bits that decoders pass over; then every byte unpacks as before.
            assert plain_frames(bytes(flipped)) == original
    assert refused > 290


@pytest.mark.parametrize("number", range(7))
def test_refuses_every_member_with_a_flipped_bit_in_proper_frames(
    examine_bytes: Examine, small_bundle: bytes, number: int
) -> None:
    plains = plain_frames(small_bundle)
    for position in chance(number).sample(range(len(plains[number]) * 8), 60):
        flipped = bytearray(plains[number])
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises((TamperedError, TrustError)):
            examine_bytes(join_plain([*plains[:number], bytes(flipped), *plains[number + 1 :]]))


# Tampering: everything around the one thing that is wrong is made to fit.


def _without(plains: list[bytes], number: int) -> list[bytes]:
    return plains[:number] + plains[number + 1 :]


def _swapped(plains: list[bytes], one: int, other: int) -> list[bytes]:
    plains = list(plains)
    plains[one], plains[other] = plains[other], plains[one]
    return plains


def _in_header(plain: bytes, offset: int, data: bytes) -> bytes:
    """Change a header and repair its checksum."""
    header = bytearray(plain[:512])
    header[offset : offset + len(data)] = data
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + plain[512:]


MEMBERS_DIFFER = "the members of the bundle are not those in its manifest"
TAMPERINGS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "manifest dated otherwise": (
        lambda p: replaced(p, 0, _in_header(p[0], 136, b"00000000000\0")),
        "manifest.json: its header is not the expected one",
    ),
    "manifest with another mode": (
        lambda p: replaced(p, 0, _in_header(p[0], 100, b"0000755\0")),
        "manifest.json: its header is not the expected one",
    ),
    "manifest as a link": (
        lambda p: replaced(p, 0, _in_header(p[0], 156, b"2/etc/passwd")),
        "manifest.json: its header is not the expected one",
    ),
    "signature with an owner": (
        lambda p: replaced(p, 1, _in_header(p[1], 265, b"root")),
        "signatures/1.sig: its header is not the expected one",
    ),
    "document without a member": (lambda p: _without(p, 2), MEMBERS_DIFFER),
    "wheel without a member": (lambda p: _without(p, 4), MEMBERS_DIFFER),
    "no end": (lambda p: p[:-1], MEMBERS_DIFFER),
    "further member": (
        lambda p: [*p[:-1], member("wheels/evil-1.0-py3-none-any.whl", b"x"), END],
        MEMBERS_DIFFER,
    ),
    "further member after the end": (lambda p: [*p, member("evil", b"x")], MEMBERS_DIFFER),
    "further empty frame": (lambda p: [*p, b""], MEMBERS_DIFFER),
    "second end": (lambda p: [*p, END], MEMBERS_DIFFER),
    "longer end": (lambda p: [*p[:-1], END * 2], MEMBERS_DIFFER),
    "end of other bytes": (
        lambda p: [*p[:-1], b"x" * len(END)],
        "the end of the archive is not made of zeros",
    ),
    "wheel in two frames": (
        lambda p: [*p[:5], p[5][:512], p[5][512:], p[6]],
        MEMBERS_DIFFER,
    ),
    "two members in one frame": (lambda p: [*p[:4], p[4] + p[5], p[6]], MEMBERS_DIFFER),
    "wheels in another order": (lambda p: _swapped(p, 4, 5), "2 parts of the bundle"),
    "document under another name": (
        lambda p: replaced(p, 2, _in_header(p[2], 0, b"pylock.toMl")),
        "pylock.toml: its header is not the expected one",
    ),
    "wheel under another name": (
        lambda p: replaced(p, 4, _in_header(p[4], 0, b"wheels/0ther")),
        "wheels/other-1.0-py3-none-any.whl: its header is not the expected one",
    ),
    "executable wheel": (
        lambda p: replaced(p, 4, _in_header(p[4], 100, b"0000755\0")),
        "wheels/other-1.0-py3-none-any.whl: its header is not the expected one",
    ),
    "wheel of other bytes": (
        lambda p: replaced(p, 4, p[4][:600] + b"evil" + p[4][604:]),
        "wheels/other-1.0-py3-none-any.whl: its hash is not the one that the manifest states",
    ),
    "document of other bytes": (
        lambda p: replaced(p, 3, p[3].replace(b"pure==1.0", b"evil==1.0")),
        "requirements.txt: its hash is not the one that the manifest states",
    ),
    "something in the padding": (
        lambda p: replaced(p, 4, p[4][:-1] + b"x"),
        "wheels/other-1.0-py3-none-any.whl: it is not padded with zeros",
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_refuses_tampered_archive(examine_bytes: Examine, small_bundle: bytes, what: str) -> None:
    change, problem = TAMPERINGS[what]
    with pytest.raises(TamperedError) as caught:
        examine_bytes(join_plain(change(plain_frames(small_bundle))))
    assert problem in caught.value.message
    assert caught.value.hint is not None
    assert "copy it again" in caught.value.hint


def test_refuses_wheel_that_the_table_lists_elsewhere(
    examine_bytes: Examine, small_bundle: bytes
) -> None:
    frames, plains = packed_frames(small_bundle), plain_frames(small_bundle)
    sizes = [len(plain) for plain in plains]
    sizes[3], sizes[5] = sizes[5], sizes[3]
    with pytest.raises(TamperedError, match="not those in its manifest"):
        examine_bytes(join(frames, sizes))


def test_names_all_damaged_members_at_once(examine_bytes: Examine, small_bundle: bytes) -> None:
    plains = [p.replace(b"==1.0", b"==6.6") for p in plain_frames(small_bundle)]
    plains[5] = plains[5][:-1] + b"x"
    with pytest.raises(TamperedError) as caught:
        examine_bytes(join_plain(plains))
    assert caught.value.message == "2 parts of the bundle are damaged or tampered with"
    assert [detail.partition(":")[0] for detail in caught.value.details] == [
        "requirements.txt",
        "wheels/pure-1.0-py3-none-any.whl",
    ]


def test_names_damaged_members_where_the_end_is_damaged_too(
    examine_bytes: Examine, small_bundle: bytes
) -> None:
    plains = plain_frames(small_bundle)
    plains[5] = plains[5][:-1] + b"x"
    plains[6] = plains[6][:-1] + b"x"
    with pytest.raises(TamperedError) as caught:
        examine_bytes(join_plain(plains))
    assert list(caught.value.details) == [
        "wheels/pure-1.0-py3-none-any.whl: it is not padded with zeros",
        "the end of the archive is not made of zeros",
    ]


def test_refuses_signed_manifest_that_is_not_valid(examine_bytes: Examine) -> None:
    data = b'{"format": 1}\n'
    signature = member("signatures/1.sig", ALICE.sign(data))
    with pytest.raises(MalformedError, match=r"manifest\.json is not valid"):
        examine_bytes(join_plain([member("manifest.json", data), signature, END]))


def test_does_not_even_parse_a_manifest_that_nobody_vouches_for(examine_bytes: Examine) -> None:
    data = b"not json at all"
    signature = member("signatures/1.sig", BOB.sign(data))
    with pytest.raises(TrustError):
        examine_bytes(join_plain([member("manifest.json", data), signature, END]))


def test_does_not_unfold_a_wheel_before_the_signature_is_accepted(
    tmp_path: Path, small_bundle: bytes
) -> None:
    frames, plains = packed_frames(small_bundle), plain_frames(small_bundle)
    noise = [bytes(len(frame)) for frame in frames[3:]]
    path = tmp_path / "bundle.tar.zst"
    path.write_bytes(join([*frames[:3], *noise], [len(plain) for plain in plains]))
    error = _refusal(path, policy_of(BOB))
    assert isinstance(error, TrustError)
