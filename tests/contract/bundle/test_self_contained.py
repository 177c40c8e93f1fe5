"""Where a bundle lies in a file that installs itself."""

from wheelferry_schemas.bundle.self_contained import (
    BUNDLE,
    HEAD_SIZE,
    SHEBANG,
    find_bundle,
    local_header,
)

HEAD = SHEBANG + local_header(BUNDLE, 0xDEADBEEF, 12345)


def test_finds_the_bundle_that_is_the_first_file() -> None:
    assert find_bundle(HEAD) == (HEAD_SIZE, 12345)


def test_bundle_may_have_nearly_four_gigabytes() -> None:
    assert find_bundle(SHEBANG + local_header(BUNDLE, 0, 2**32 - 1)) == (HEAD_SIZE, 2**32 - 1)


def test_finds_none_in_a_plain_bundle() -> None:
    assert find_bundle((0xFD2FB528).to_bytes(4, "little").ljust(HEAD_SIZE, b"\0")) is None


def test_finds_none_where_another_file_comes_first() -> None:
    other = SHEBANG + local_header("bundle.tar.zsu", 0xDEADBEEF, 12345)
    assert find_bundle(other) is None


def test_finds_none_that_is_compressed() -> None:
    method = len(SHEBANG) + 8
    assert find_bundle(HEAD[:method] + b"\x08" + HEAD[method + 1 :]) is None


def test_finds_none_whose_two_sizes_differ() -> None:
    size = len(SHEBANG) + 22
    assert find_bundle(HEAD[:size] + b"\x01" + HEAD[size + 1 :]) is None


def test_finds_none_in_a_short_file() -> None:
    assert find_bundle(HEAD[:-1]) is None
