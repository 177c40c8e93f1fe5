import pytest

from support.making.archives import member
from support.making.bundles import CREATED
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.bundle.head import Head, read_head
from wheelferry_schemas.bundle.layout import FRAME_SIZE, MAX_SIGNATURE_SIZE, MAX_SIGNATURES
from wheelferry_schemas.bundle.manifest import MAX_MANIFEST_SIZE
from wheelferry_schemas.errors import TamperedError

END = layout.END_OF_ARCHIVE
MANIFEST = member("manifest.json", b"{}\n")


def _read(frames: list[bytes]) -> Head:
    return read_head([len(frame) for frame in frames], frames.__getitem__)


def _refusal(frames: list[bytes]) -> str:
    with pytest.raises(TamperedError) as caught:
        _read(frames)
    return caught.value.message


def test_finds_manifest_and_signatures() -> None:
    signatures = [member("signatures/1.sig", b"one"), member("signatures/2.sig", b"two")]
    head = _read([MANIFEST, *signatures, member("pylock.toml", b"x"), END])
    assert head.manifest.content == b"{}\n"
    assert head.manifest.header == MANIFEST[:512]
    assert [(s.name, s.content) for s in head.signatures] == [
        ("signatures/1.sig", b"one"),
        ("signatures/2.sig", b"two"),
    ]
    assert head.next_frame == 3


def test_bundle_may_be_unsigned() -> None:
    assert _read([MANIFEST, END]).signatures == ()


def test_head_may_be_all_there_is() -> None:
    assert _read([MANIFEST]).next_frame == 1


def test_reads_manifest_of_several_frames() -> None:
    whole = member("manifest.json", b"x" * (FRAME_SIZE + 5))
    head = _read([whole[:FRAME_SIZE], whole[FRAME_SIZE:], member("signatures/1.sig", b"one"), END])
    assert len(head.manifest.content) == FRAME_SIZE + 5
    assert [s.content for s in head.signatures] == [b"one"]
    assert head.next_frame == 3


def test_takes_as_many_signatures_as_the_format_allows() -> None:
    signatures = [member(f"signatures/{n}.sig", b"x" * n) for n in range(1, MAX_SIGNATURES + 1)]
    head = _read([MANIFEST, *signatures, END])
    assert [len(s.content) for s in head.signatures] == list(range(1, 17))


def test_refuses_one_signature_more() -> None:
    signatures = [member(f"signatures/{n}.sig", b"x") for n in range(1, MAX_SIGNATURES + 2)]
    assert _refusal([MANIFEST, *signatures, END]) == "there are more than 16 signatures"


def test_takes_signature_of_the_largest_size() -> None:
    largest = member("signatures/1.sig", b"x" * MAX_SIGNATURE_SIZE)
    assert len(_read([MANIFEST, largest, END]).signatures[0].content) == MAX_SIGNATURE_SIZE


def test_signatures_are_numbered_from_one_without_a_gap() -> None:
    assert _read([MANIFEST, member("signatures/2.sig", b"x"), END]).signatures == ()
    gap = [member("signatures/1.sig", b"x"), member("signatures/3.sig", b"x")]
    assert len(_read([MANIFEST, *gap, END]).signatures) == 1


def test_does_not_unfold_a_frame_too_large_for_a_signature() -> None:
    unfolded = []

    def content(number: int) -> bytes:
        unfolded.append(number)
        return MANIFEST

    head = read_head([len(MANIFEST), FRAME_SIZE, 1024], content)
    assert (head.next_frame, unfolded) == (1, [0])


@pytest.mark.parametrize(
    ("frames", "problem"),
    [
        ([], "manifest.json is missing"),
        ([END], "manifest.json is not where it belongs"),
        ([b"\0"], "manifest.json is not where it belongs"),
        ([member("signatures/1.sig", b"x"), MANIFEST, END], "manifest.json is not where it"),
        ([member("manifest.JSON", b"{}"), END], "manifest.json is not where it belongs"),
        ([MANIFEST[:512]], "manifest.json is not as long as it says"),
        ([MANIFEST[:-1]], "manifest.json is not as long as it says"),
        ([MANIFEST + bytes(512), END], "manifest.json is not as long as it says"),
        ([MANIFEST[:600], MANIFEST[600:], END], "manifest.json is not as long as it says"),
        ([MANIFEST[:-1] + b"x", END], "manifest.json is not padded with zeros"),
        ([member("manifest.json", b""), END], "manifest.json has 0 bytes"),
        (
            [layout.header("manifest.json", MAX_MANIFEST_SIZE + 1, CREATED), END],
            f"manifest.json has {MAX_MANIFEST_SIZE + 1} bytes",
        ),
        (
            [layout.header("manifest.json", MAX_MANIFEST_SIZE, CREATED).ljust(FRAME_SIZE, b"x")],
            "manifest.json is not as long as it says",
        ),
        ([MANIFEST, member("signatures/1.sig", b""), END], "signatures/1.sig has 0 bytes"),
        (
            [MANIFEST, member("signatures/1.sig", b"x")[:-1] + b"x", END],
            "signatures/1.sig is not padded with zeros",
        ),
        (
            [MANIFEST, layout.header("signatures/1.sig", MAX_SIGNATURE_SIZE + 1, CREATED), END],
            f"signatures/1.sig has {MAX_SIGNATURE_SIZE + 1} bytes",
        ),
    ],
    ids=[
        "no frames",
        "end only",
        "a byte",
        "signature first",
        "other case",
        "header only",
        "cut",
        "block more",
        "cut elsewhere",
        "not padded",
        "empty",
        "too large",
        "longer than its frame",
        "empty signature",
        "signature not padded",
        "signature too large",
    ],
)
def test_refuses_head_that_is_not_as_foretold(frames: list[bytes], problem: str) -> None:
    assert problem in _refusal(frames)
