"""Which files and folders are believed, by what `lstat` says of them."""

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelferry_schemas.host_rules.writers import Kind, is_shared, why_not_believed

KINDS: dict[Kind, int] = {"file": stat.S_IFREG, "folder": stat.S_IFDIR}
OTHER_KINDS = (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK)
ME, ROOT, OTHER = 1000, 0, 1001
kinds = st.sampled_from(list(KINDS))
permissions = st.integers(0, 0o7777)
users = st.integers(0, 2**32 - 1)


@given(kind=kinds, permissions=permissions, owner=users, user=users)
def test_believes_what_this_user_or_root_alone_can_write(
    kind: Kind, permissions: int, owner: int, user: int
) -> None:
    refused = why_not_believed(KINDS[kind] | permissions, owner, user=user, kind=kind)
    assert (refused is None) == (owner in (user, ROOT) and not permissions & 0o022)


@given(kind=kinds, other=st.sampled_from(OTHER_KINDS), permissions=permissions, user=users)
def test_believes_nothing_of_another_kind(
    kind: Kind, other: int, permissions: int, user: int
) -> None:
    assert why_not_believed(other | permissions, user, user=user, kind=kind)


@pytest.mark.parametrize(
    ("mode", "owner", "cause", "reason"),
    [
        (stat.S_IFLNK | 0o777, ME, "kind", "is a symbolic link"),
        (stat.S_IFREG | 0o600, ME, "kind", "is not a folder"),
        (stat.S_IFDIR | 0o755, OTHER, "owner", "belongs to another user (uid 1001)"),
        (stat.S_IFDIR | 0o775, ME, "mode", "is writable by others (mode 0775)"),
        (stat.S_IFDIR | 0o1777, ROOT, "mode", "is writable by others (mode 1777)"),
    ],
)
def test_says_why_a_folder_is_not_believed(mode: int, owner: int, cause: str, reason: str) -> None:
    doubt = why_not_believed(mode, owner, user=ME, kind="folder")
    assert doubt == (cause, reason)


def test_folder_is_no_file() -> None:
    doubt = why_not_believed(stat.S_IFDIR | 0o755, ME, user=ME, kind="file")
    assert doubt == ("kind", "is not a plain file")


@pytest.mark.parametrize(("mode", "shared"), [(0o1777, True), (0o777, True), (0o775, False)])
def test_folder_is_shared_where_everybody_may_write(mode: int, shared: bool) -> None:
    assert is_shared(stat.S_IFDIR | mode) == shared
