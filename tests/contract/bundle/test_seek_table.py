import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelferry_schemas.bundle import seek_table
from wheelferry_schemas.bundle.seek_table import FOOTER_SIZE, MAX_FRAMES, Frame
from wheelferry_schemas.errors import TamperedError

FRAMES = [(100, 512), (30, 1024)]
_u32 = st.integers(min_value=0, max_value=2**32 - 1)


@given(st.lists(st.tuples(_u32, _u32), min_size=1, max_size=50))
def test_reads_what_it_writes(frames: list[tuple[int, int]]) -> None:
    table = seek_table.encode(frames)
    assert seek_table.size_from_footer(table[-FOOTER_SIZE:]) == len(table)
    packed = sum(compressed for compressed, _ in frames)
    read = seek_table.decode(table, packed + len(table))
    assert [(frame.compressed_size, frame.size) for frame in read] == frames
    ends = [frame.offset + frame.compressed_size for frame in read]
    assert [frame.offset for frame in read] == [0, *ends[:-1]]


def test_is_the_format_that_zstd_documents() -> None:
    assert seek_table.encode(FRAMES) == bytes.fromhex(
        "5e2a4d18 19000000"
        "64000000 00020000"
        "1e000000 00040000"
        "02000000 00 b1ea928f"
    )  # fmt: skip


def test_frames_lie_one_after_the_other() -> None:
    table = seek_table.encode(FRAMES)
    assert seek_table.decode(table, 130 + len(table)) == (
        Frame(offset=0, compressed_size=100, size=512),
        Frame(offset=100, compressed_size=30, size=1024),
    )


@pytest.mark.parametrize("added", [-1, 1, 4096])
def test_refuses_frames_that_do_not_fill_the_file(added: int) -> None:
    table = seek_table.encode(FRAMES)
    with pytest.raises(TamperedError, match="do not fill the file"):
        seek_table.decode(table, 130 + len(table) + added)


def test_refuses_footer_of_another_format() -> None:
    with pytest.raises(TamperedError, match="does not end as a bundle does"):
        seek_table.size_from_footer(bytes(FOOTER_SIZE))


@pytest.mark.parametrize("size", [0, FOOTER_SIZE - 1])
def test_refuses_footer_that_is_cut_short(size: int) -> None:
    footer = seek_table.encode(FRAMES)[-FOOTER_SIZE:]
    with pytest.raises(TamperedError, match="too short"):
        seek_table.size_from_footer(footer[:size])


@pytest.mark.parametrize(
    ("number", "descriptor"),
    [(0, 0), (MAX_FRAMES + 1, 0), (2**32 - 1, 0), (2, 0x80), (2, 1)],
)
def test_refuses_absurd_number_of_frames_and_unknown_descriptor(
    number: int, descriptor: int
) -> None:
    with pytest.raises(TamperedError, match="unknown kind"):
        seek_table.size_from_footer(struct.pack("<IBI", number, descriptor, 0x8F92EAB1))


@pytest.mark.parametrize("at", range(8))
def test_refuses_head_that_is_not_that_of_a_skippable_frame(at: int) -> None:
    table = bytearray(seek_table.encode(FRAMES))
    table[at] ^= 1
    with pytest.raises(TamperedError, match="seek table of the bundle is damaged"):
        seek_table.decode(bytes(table), 130 + len(table))
