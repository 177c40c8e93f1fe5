import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.making.bundles import CREATED, host_target, make_manifest
from support.making.wheels import make_wheel
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.layout import BLOCK, FRAME_SIZE, MANIFEST, MAX_SIGNATURE_SIZE, Member
from wheelferry_schemas.bundle.manifest import MAX_MANIFEST_SIZE, MAX_MEMBER_SIZE, PythonArchive
from wheelferry_schemas.errors import TamperedError

LONG = layout.wheel_name("a" * 180 + "-1.0-py3-none-any.whl")
HEADERS = [
    ("manifest.json", 12_345, CREATED, 512),
    ("signatures/16.sig", 1, CREATED, 512),
    ("wheels/" + "b" * 93, 0, 0, 512),
    (LONG, MAX_MEMBER_SIZE, 2**33 - 1, 1536),
]
GOLDEN = "2ce8b1899571bd3759e7bd5ff18bb9b9be6c8bbed17ec0b9465b3be225c8ab82"


def _archive(members: list[tuple[str, bytes]]) -> bytes:
    parts = [
        layout.header(name, len(data), CREATED) + data + layout.padding(len(data))
        for name, data in members
    ]
    return b"".join(parts) + layout.END_OF_ARCHIVE


def test_headers_are_the_same_bytes_in_every_release() -> None:
    headers = b"".join(layout.header(name, size, time) for name, size, time, _ in HEADERS)
    assert hashlib.sha256(headers).hexdigest() == GOLDEN


def test_header_is_as_the_format_describes() -> None:
    name = b"manifest.json".ljust(100, b"\0")
    middle = b"0000644\0" + b"0000000\0" * 2 + b"00000030071\0" + b"14524770400\0"
    rest = b"0" + bytes(100) + b"ustar\x0000" + bytes(247)
    checksum = b"%06o\0 " % sum(name + middle + b" " * 8 + rest)
    assert layout.header("manifest.json", 12_345, CREATED) == name + middle + checksum + rest


@pytest.mark.parametrize(("name", "size", "created", "length"), HEADERS)
def test_header_is_one_block_unless_the_name_is_long(
    name: str, size: int, created: int, length: int
) -> None:
    assert len(layout.header(name, size, created)) == length


@given(
    st.lists(
        st.tuples(st.text("abcdefghij-_.", min_size=1, max_size=230), st.binary(max_size=2000)),
        max_size=4,
    )
)
def test_tarfile_reads_what_is_foretold(members: list[tuple[str, bytes]]) -> None:
    members = [(f"wheels/x{name}.whl", data) for name, data in members]
    with tarfile.open(fileobj=io.BytesIO(_archive(members)), mode="r:") as archive:
        found = archive.getmembers()
        assert [(info.name, info.size) for info in found] == [(n, len(d)) for n, d in members]
        assert {(i.mode, i.uid, i.gid, i.mtime, i.type) for i in found} <= {
            (0o644, 0, 0, CREATED, tarfile.REGTYPE)
        }
        for info, (_, data) in zip(found, members, strict=True):
            file = archive.extractfile(info)
            assert file is not None
            assert file.read() == data


def test_tar_reads_what_is_foretold(tmp_path: Path) -> None:
    members = [("manifest.json", b"{}\n"), ("signatures/1.sig", bytes(512)), (LONG, b"wheel")]
    archive = tmp_path / "bundle.tar"
    archive.write_bytes(_archive(members))
    subprocess.run(["tar", "-xf", archive, "-C", tmp_path], check=True)
    assert [(name, (tmp_path / name).read_bytes()) for name, _ in members] == members
    assert (tmp_path / LONG).stat().st_mtime == CREATED


def test_members_are_documents_then_wheels_in_the_manifests_order() -> None:
    documents = {"sbom.cdx.json": b"{}", "pylock.toml": b"", "requirements.txt": b"#"}
    wheels = [make_wheel("zebra"), make_wheel("Ant"), make_wheel("bee")]
    assert [member.name for member in layout.members(make_manifest(wheels, (), documents))] == [
        "pylock.toml",
        "requirements.txt",
        "sbom.cdx.json",
        "wheels/Ant-1.0-py3-none-any.whl",
        "wheels/bee-1.0-py3-none-any.whl",
        "wheels/zebra-1.0-py3-none-any.whl",
    ]


def test_members_are_what_the_manifest_states() -> None:
    wheel = make_wheel("pure")
    target = host_target()
    python = PythonArchive(name="a.tar.gz", sha256="1" * 64, size=2, targets=(target.id,))
    manifest = make_manifest([wheel], [target], {"pylock.toml": b"foo"}, pythons=[python])
    assert layout.members(manifest) == (
        Member(name="pylock.toml", size=3, sha256=hashlib.sha256(b"foo").hexdigest()),
        Member(name="pythons/a.tar.gz", size=2, sha256="1" * 64),
        Member(name=f"wheels/{wheel.file_name}", size=len(wheel.data), sha256=wheel.sha256),
    )


@pytest.mark.parametrize(
    ("size", "zeros"), [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511), (FRAME_SIZE, 0)]
)
def test_pads_to_whole_blocks_with_zeros(size: int, zeros: int) -> None:
    assert layout.padding(size) == bytes(zeros)


@pytest.mark.parametrize(
    ("size", "frames"),
    [
        (0, []),
        (1, [1]),
        (FRAME_SIZE, [FRAME_SIZE]),
        (FRAME_SIZE + 1, [FRAME_SIZE, 1]),
        (3 * FRAME_SIZE, [FRAME_SIZE] * 3),
    ],
)
def test_frames_are_full_but_the_last(size: int, frames: list[int]) -> None:
    assert list(layout.frame_sizes(size)) == frames


@given(st.integers(0, 100 * FRAME_SIZE))
def test_frames_hold_everything(size: int) -> None:
    frames = list(layout.frame_sizes(size))
    assert sum(frames) == size
    assert all(0 < frame <= FRAME_SIZE for frame in frames)


def test_stream_size_counts_header_and_padding() -> None:
    assert layout.stream_size("manifest.json", 513, CREATED) == 512 + 1024
    assert layout.stream_size(LONG, 512, CREATED) == 1536 + 512


@pytest.mark.parametrize(
    ("name", "size"),
    [
        (MANIFEST, 1),
        (MANIFEST, MAX_MANIFEST_SIZE),
        ("signatures/1.sig", 1),
        ("signatures/16.sig", MAX_SIGNATURE_SIZE),
    ],
)
def test_reads_stated_size(name: str, size: int) -> None:
    assert layout.stated_size(layout.header(name, size, CREATED), name) == size


@pytest.mark.parametrize(
    ("name", "size"),
    [
        (MANIFEST, 0),
        (MANIFEST, MAX_MANIFEST_SIZE + 1),
        ("signatures/1.sig", 0),
        ("signatures/1.sig", MAX_SIGNATURE_SIZE + 1),
        ("signatures/1.sig", MAX_MEMBER_SIZE),
    ],
)
def test_refuses_stated_size_beyond_the_limits(name: str, size: int) -> None:
    with pytest.raises(TamperedError, match=f"{name} has {size} bytes, expected 1 to"):
        layout.stated_size(layout.header(name, size, CREATED), name)


@pytest.mark.parametrize(
    "field",
    [
        b"\x80\0\0\0\0\0\0\0\0\0\0\1",
        b"\xff" * 12,
        b"          1\0",
        b"1          \0",
        b"0000000001\0\0",
        b"00000000018\0",
        b"00000000009\0",
        b"-0000000001\0",
        b"+0000000001\0",
        b"000000000001",
        b"\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\0",
    ],
)
def test_refuses_size_that_is_not_eleven_octal_digits(field: bytes) -> None:
    head = layout.header(MANIFEST, 1, CREATED)
    with pytest.raises(TamperedError, match=r"the size of manifest\.json cannot be read"):
        layout.stated_size(head[:124] + field + head[136:], MANIFEST)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        bytes(BLOCK),
        layout.header("signatures/1.sig", 1, CREATED),
        layout.header("./manifest.json", 1, CREATED),
        layout.header("manifest.json.old", 1, CREATED),
        layout.header(MANIFEST, 1, CREATED)[:-1],
        layout.header(LONG, 1, CREATED),
    ],
)
def test_refuses_block_that_is_not_the_members_header(block: bytes) -> None:
    with pytest.raises(TamperedError, match=r"manifest\.json is not where it belongs"):
        layout.stated_size(block, MANIFEST)


def test_documents_of_a_target_are_named_after_it_unless_it_is_alone() -> None:
    assert layout.pylock_name("cp312-any", alone=True) == "pylock.toml"
    assert layout.pylock_name("cp312-any", alone=False) == "pylock.cp312-any.toml"
    assert layout.requirements_name("cp312-any", alone=True) == "requirements.txt"
    assert layout.requirements_name("cp312-any", alone=False) == "requirements.cp312-any.txt"
