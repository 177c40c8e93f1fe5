import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.running.ssh import fixed_key, openssh_accepts
from wheelferry_schemas.errors import MalformedError, UsageError
from wheelferry_schemas.trust import allowed_signers
from wheelferry_schemas.trust.allowed_signers import AllowedSigner
from wheelferry_schemas.trust.ssh_wire import PublicKey
from wheelferry_schemas.trust.sshsig import NAMESPACE

SIGNING_KEY = fixed_key("alice")
KEY = SIGNING_KEY.public
LINE = KEY.line()
OTHER = fixed_key("bob").public
NOW = 1_700_000_000
"""2023-11-14 22:13:20 UTC."""
MESSAGE = b"message"
NAMES = st.text("abcXYZ019._%+@-", min_size=1, max_size=200)


@pytest.fixture
def set_zone() -> Iterator[Callable[[str], None]]:
    """Sets the time zone of this process until the test ends."""
    with pytest.MonkeyPatch.context() as patch:

        def change(zone: str) -> None:
            patch.setenv("TZ", zone)
            time.tzset()

        yield change
    time.tzset()


def _only(text: str) -> AllowedSigner:
    (signer,) = allowed_signers.parse(text)
    return signer


def _problems(text: str) -> tuple[str, ...]:
    with pytest.raises(MalformedError) as caught:
        allowed_signers.parse(text)
    return caught.value.details


@given(NAMES)
def test_reads_back_the_entry_that_it_writes(name: str) -> None:
    signer = _only(allowed_signers.entry(name, KEY))
    assert signer == AllowedSigner(principals=name, key=KEY, namespaces=(NAMESPACE,))
    assert signer.refusal(NAMESPACE, NOW) is None


@pytest.mark.parametrize("name", ["", "a b", 'a"b', "a,b", "#a", "a\nb", "*", "a" * 201, "ä"])
def test_refuses_to_write_name_that_would_not_be_read_back(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a signer") as caught:
        allowed_signers.entry(name, KEY)
    assert "alice@example" in str(caught.value.hint)


def test_skips_comments_and_empty_lines() -> None:
    text = f"# who may sign\n\n   # nobody else\n\t\nalice {LINE}\n"
    assert _only(text).principals == "alice"


def test_empty_list_allows_nobody() -> None:
    assert allowed_signers.parse("# nobody\n") == ()


@pytest.mark.parametrize(
    ("line", "principals"),
    [
        (f"alice {LINE}", "alice"),
        (f"alice {LINE} a comment of several words", "alice"),
        (f'alice {LINE} says "hello', "alice"),
        (f"  alice\t{LINE}", "alice"),
        (f"alice@example,bob@example {LINE}", "alice@example,bob@example"),
        (f'"alice smith" {LINE}', "alice smith"),
        (f'"alice smith" namespaces="file" {LINE}', "alice smith"),
    ],
)
def test_reads_principals(line: str, principals: str) -> None:
    signer = _only(line)
    assert (signer.principals, signer.key) == (principals, KEY)


def test_reads_file_from_windows() -> None:
    assert [
        signer.key for signer in allowed_signers.parse(f"a {LINE}\r\nb {OTHER.line()}\r\n")
    ] == [
        KEY,
        OTHER,
    ]


def test_signs_for_everything_and_always_without_options() -> None:
    assert _only(f"alice {LINE}") == AllowedSigner(principals="alice", key=KEY)


def test_reads_all_options() -> None:
    options = 'namespaces="file,git",valid-after="20230101Z",valid-before="20240101000000Z"'
    signer = _only(f"alice {options} {LINE}")
    assert signer.namespaces == ("file", "git")
    assert (signer.valid_after, signer.valid_before) == (1_672_531_200, 1_704_067_200)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20231114Z", 1_699_920_000), ("202311142213Z", NOW - 20), ("20231114221320Z", NOW)],
)
def test_reads_times(text: str, seconds: int) -> None:
    assert _only(f'alice valid-after="{text}" {LINE}').valid_after == seconds


def test_time_without_zone_is_that_of_this_host(set_zone: Callable[[str], None]) -> None:
    set_zone("XXX-02")
    assert _only(f'alice valid-after="20231115001320" {LINE}').valid_after == NOW


def test_time_with_a_zone_is_the_same_on_every_host(set_zone: Callable[[str], None]) -> None:
    set_zone("XXX-02")
    assert _only(f'alice valid-after="20231114221320Z" {LINE}').valid_after == NOW


def test_refuses_time_that_falls_off_the_calendar(set_zone: Callable[[str], None]) -> None:
    set_zone("XXX-14")
    (said,) = _problems(f'alice valid-after="00010101" {LINE}')
    assert said == "line 1: not a time: '00010101'"


@pytest.mark.parametrize(
    ("namespaces", "accepted"),
    [
        (NAMESPACE, True),
        (f"file,{NAMESPACE}", True),
        ("wheelferry.*", True),
        ("wheelferry.bundle.v?", True),
        ("*", True),
        ("file", False),
        ("wheelferry.bundle.v2", False),
        ("WHEELFERRY.bundle.v1", False),
        ("wheelferry.bundle.v[0-9]", False),
        (f"!{NAMESPACE},*", False),
        (f"*,!{NAMESPACE}", False),
        ("!file,*", True),
        ("!file", False),
    ],
)
def test_honours_namespaces_as_openssh_does(
    tmp_path: Path, namespaces: str, accepted: bool
) -> None:
    text = f'alice namespaces="{namespaces}" {LINE}\n'
    assert (_only(text).refusal(NAMESPACE, NOW) is None) is accepted
    signers = tmp_path / "allowed_signers"
    signers.write_text(text)
    armored = SIGNING_KEY.sign(MESSAGE)
    assert openssh_accepts(signers, "alice", MESSAGE, armored, NAMESPACE) is accepted


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ('valid-after="20231114221320Z"', None),
        ('valid-after="20231114221321Z"', "not valid yet"),
        ('valid-before="20231114221321Z"', None),
        ('valid-before="20231114221320Z"', None),
        ('valid-before="20231114221319Z"', "no longer valid"),
        ('valid-before="20231114Z"', "no longer valid"),
    ],
)
def test_honours_validity_as_openssh_does(
    tmp_path: Path, options: str, refusal: str | None
) -> None:
    text = f"alice {options} {LINE}\n"
    assert (refusal or "") in (_only(text).refusal(NAMESPACE, NOW) or "")
    assert (_only(text).refusal(NAMESPACE, NOW) is None) is (refusal is None)
    signers = tmp_path / "allowed_signers"
    signers.write_text(text)
    now = ("-O", "verify-time=20231114221320Z")
    armored = SIGNING_KEY.sign(MESSAGE)
    assert openssh_accepts(signers, "alice", MESSAGE, armored, NAMESPACE, now) is (refusal is None)


@pytest.mark.parametrize("mark", ["\f", "\v", "\x1c", "\x85", "\u2028"])
def test_only_line_breaks_end_a_comment(tmp_path: Path, mark: str) -> None:
    text = f"# once:{mark}alice {LINE}\n"
    assert allowed_signers.parse(text) == ()
    signers = tmp_path / "allowed_signers"
    signers.write_text(text, encoding="utf-8")
    armored = SIGNING_KEY.sign(MESSAGE)
    assert not openssh_accepts(signers, "alice", MESSAGE, armored, NAMESPACE)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("alice", "does not hold a name, a key type and a key"),
        ("alice ssh-ed25519", "does not hold a name, a key type and a key"),
        (f'alice namespaces="file" {LINE.split()[0]}', "does not hold"),
        (f"alice cert-authority {LINE}", "cert-authority is not supported"),
        (f'alice cert-authority,namespaces="file" {LINE}', "cert-authority is not supported"),
        (f"alice ssh-dss {LINE.split()[1]}", "unknown option or key type 'ssh-dss'"),
        (f"alice no-touch-required {LINE}", "unknown option"),
        (f"alice namespaces={NAMESPACE} {LINE}", "unknown option"),
        (f'alice namespaces="" {LINE}', "option namespaces has no value"),
        (f"alice namespaces {LINE}", "option namespaces has no value"),
        (f'alice namespaces="a",namespaces="b" {LINE}', "option namespaces is given twice"),
        (f'alice NAMESPACES="a",namespaces="b" {LINE}', "option namespaces is given twice"),
        (f'alice namespaces="a"valid-after="20230101" {LINE}', "unknown option"),
        (f'alice valid-after="yesterday" {LINE}', "not a time: 'yesterday'"),
        (f'alice valid-after="20231301Z" {LINE}', "not a time: '20231301Z'"),
        (f'alice valid-after="2023" {LINE}', "not a time"),
        (f'alice valid-after="20230101ZZ" {LINE}', "not a time"),
        (f'alice valid-after="٢٠٢٣٠١٠١" {LINE}', "not a time"),
        ("alice ssh-ed25519 AAAA", "past its end"),
        (f"alice {LINE[:-8]}", "past its end"),
        (f"alice {LINE[:-1]}*", "not base64"),
        (f'"alice {LINE}', "a quotation mark is left open"),
        (f'alice "{LINE}', "a quotation mark is left open"),
        (f'alice namespaces="file {LINE}', "a quotation mark is left open"),
    ],
)
def test_refuses_bad_line(line: str, problem: str) -> None:
    (said,) = _problems(line)
    assert said.startswith("line 1: ")
    assert problem in said


def test_names_every_bad_line_by_its_number() -> None:
    problems = _problems(f"# list\nalice {LINE}\nbob\n\ncarol x {LINE}\n")
    assert [problem.split(":")[0] for problem in problems] == ["line 3", "line 5"]


def test_reads_public_key_file() -> None:
    text = f"# comment\n\n{LINE} alice at home\n"
    assert allowed_signers.parse_key_file(text) == (KEY, "alice at home")


def test_public_key_file_needs_no_comment() -> None:
    assert allowed_signers.parse_key_file(LINE) == (KEY, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        f"{LINE}\n{LINE}\n",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n",
    ],
)
def test_refuses_what_is_not_one_public_key(text: str) -> None:
    with pytest.raises(MalformedError, match="not a public key") as caught:
        allowed_signers.parse_key_file(text)
    assert "a public key is one line" in str(caught.value.hint)


def test_removes_all_lines_of_a_key_and_nothing_else() -> None:
    kept = f"# list\n  # and more\n\nbob {OTHER.line()}  # since May\n"
    text = f"# list\n  # and more\n\nalice {LINE}\nbob {OTHER.line()}  # since May\nas-well {LINE}"
    assert allowed_signers.without(text, [KEY]) == kept


THREE = [fixed_key(name).public for name in ("alice", "bob", "eve")]
PEOPLE: dict[str, tuple[list[tuple[str, int]], int]] = {
    "a key each": ([("alice", 0), ("bob", 1)], 2),
    "two keys of one": ([("alice", 0), ("alice", 1)], 1),
    "one key under two names": ([("alice", 0), ("bob", 0)], 1),
    "one key on one line of two names": ([("alice,bob", 0)], 1),
    "names that share one": ([("alice,a@x", 0), ("a@x", 1)], 1),
    "one who may use both": ([("alice,bob", 0), ("bob", 1)], 1),
    "shared key beside two of their own": ([("a,b", 0), ("a", 1), ("b", 2)], 2),
    "a chain of shared keys": ([("a,b", 0), ("b,c", 1), ("c,d", 2)], 2),
    "everybody of a domain": ([("*@x", 0), ("alice@x", 1)], 1),
    "all but one of a domain": ([("*@x,!bob@x", 0), ("bob@x", 1)], 2),
    "nobody": ([("alice,!alice", 0)], 0),
    "an unused key": ([("alice", 0)], 1),
}


@pytest.mark.parametrize("what", PEOPLE)
def test_counts_people_not_keys(what: str) -> None:
    lines, number = PEOPLE[what]
    signers = [AllowedSigner(principals=names, key=THREE[key]) for names, key in lines]
    used = {THREE[key] for _, key in lines}
    assert allowed_signers.people(signers, used) == number
    assert allowed_signers.people(signers, set()) == 0


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 15)), min_size=1))
def test_people_are_at_most_as_many_as_names_and_as_keys(pairs: list[tuple[str, int]]) -> None:
    keys = [PublicKey(bytes([number])) for number in range(16)]
    signers = [AllowedSigner(principals=name, key=keys[key]) for name, key in pairs]
    number = allowed_signers.people(signers, keys)
    assert 1 <= number <= min(len({name for name, _ in pairs}), len({key for _, key in pairs}))


def test_sixteen_people_are_counted_at_once() -> None:
    keys = [PublicKey(bytes([number])) for number in range(16)]
    signers = [AllowedSigner(principals=f"p{n},q{n % 5}", key=key) for n, key in enumerate(keys)]
    assert allowed_signers.people(signers, keys) == 5
