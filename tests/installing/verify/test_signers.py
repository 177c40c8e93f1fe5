from dataclasses import replace
from pathlib import Path

import pytest

from support.making.archives import (
    NOW,
    examine,
    join_plain,
    member,
    plain_frames,
    policy_of,
    replaced,
)
from support.making.bundles import CREATED, make_bundle, make_manifest
from support.making.wheels import make_wheel
from support.running.ssh import fixed_key
from wheelferry_bundler.sign.signing_keys import SigningKey
from wheelferry_bundler.write.archive_writer import write_archive
from wheelferry_installer.verify.policy import (
    ACCEPT_UNSIGNED,
    UNKNOWN_KEY,
    Policy,
    RevokedKey,
    SignatureVerdict,
    SignerList,
)
from wheelferry_schemas.bundle.manifest import serialize
from wheelferry_schemas.errors import (
    OutdatedError,
    TamperedError,
    TrustError,
    WheelferryError,
)
from wheelferry_schemas.fields import format_timestamp
from wheelferry_schemas.trust import sshsig
from wheelferry_schemas.trust.allowed_signers import AllowedSigner
from wheelferry_schemas.trust.ssh_wire import string

ALICE, BOB = fixed_key("alice"), fixed_key("bob")
POLICY = policy_of(ALICE)


def _bundle(tmp_path: Path, *keys: SigningKey) -> Path:
    return make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")], keys=keys)


def _policy(*signers: AllowedSigner) -> Policy:
    return Policy(lists=(SignerList(path=Path("list"), signers=signers),))


def _refusal(path: Path, policy: Policy, now: int = NOW) -> WheelferryError:
    with pytest.raises(WheelferryError) as caught:
        examine(path, policy, now)
    return caught.value


# Trust: who signed, and does that count here.


def test_refuses_unsigned_bundle(tmp_path: Path) -> None:
    error = _refusal(_bundle(tmp_path), POLICY)
    assert isinstance(error, TrustError)
    assert error.message == "bundle.tar.zst is not signed"
    assert error.hint == (
        "ask whoever made it to sign it, or accept it unsigned with --allow-unsigned"
    )


def test_takes_unsigned_bundle_where_that_is_asked_for(tmp_path: Path) -> None:
    assert examine(_bundle(tmp_path), ACCEPT_UNSIGNED) == ()


def test_policy_that_lists_nobody_accepts_no_signature(tmp_path: Path) -> None:
    nobody = Policy(lists=())
    assert isinstance(_refusal(_bundle(tmp_path), nobody), TrustError)
    assert "bundle trust add" in str(_refusal(_bundle(tmp_path, ALICE), nobody).hint)


def test_where_unsigned_bundles_are_accepted_every_key_is_unknown(tmp_path: Path) -> None:
    (signer,) = examine(_bundle(tmp_path, ALICE), ACCEPT_UNSIGNED)
    assert (signer.name, signer.problem) == (None, UNKNOWN_KEY)


def test_damage_is_refused_in_an_unsigned_bundle_too(tmp_path: Path, small_bundle: bytes) -> None:
    path = tmp_path / "bundle.tar.zst"
    plains = plain_frames(small_bundle)
    path.write_bytes(join_plain(replaced(plains, 3, plains[3].replace(b"==1", b"==2"))))
    assert isinstance(_refusal(path, ACCEPT_UNSIGNED), TamperedError)


def test_unknown_key_is_told_with_its_fingerprint_and_what_to_do(tmp_path: Path) -> None:
    error = _refusal(_bundle(tmp_path, BOB), POLICY)
    fingerprint = BOB.public.fingerprint
    assert isinstance(error, TrustError)
    assert (
        error.message == "bundle.tar.zst has no signature from a signer listed in allowed_signers"
    )
    assert error.details == (f"signatures/1.sig: {fingerprint}: this host does not know the key",)
    assert error.hint is not None
    assert fingerprint in error.hint
    assert "bundle trust add alice.pub" in error.hint


def test_refuses_signature_of_another_bundle(tmp_path: Path, small_bundle: bytes) -> None:
    other = plain_frames(_bundle(tmp_path, ALICE).read_bytes())
    path = tmp_path / "mixed.tar.zst"
    path.write_bytes(join_plain(replaced(plain_frames(small_bundle), 1, other[1])))
    error = _refusal(path, POLICY)
    assert isinstance(error, TrustError)
    assert "it does not match what was signed" in error.details[0]


def test_does_not_advise_to_trust_a_key_whose_signature_is_wrong(
    tmp_path: Path, small_bundle: bytes
) -> None:
    plains = plain_frames(small_bundle)
    path = tmp_path / "bundle.tar.zst"
    path.write_bytes(join_plain(replaced(plains, 0, plains[0].replace(b"demo", b"evil"))))
    error = _refusal(path, POLICY)
    assert (
        error.hint
        == "ask whoever made the bundle to have it signed with a key that this host accepts"
    )


def test_refuses_signature_made_for_something_else(tmp_path: Path) -> None:
    manifest = make_manifest([])
    data = serialize(manifest)
    signed = sshsig.decode(ALICE.sign(data))
    blob = ALICE.private.sign(sshsig.signed_data(data, "file", "sha512"))
    armored = sshsig.encode(
        sshsig.Signature(
            key=signed.key,
            namespace="file",
            hash_name="sha512",
            blob=string(b"ssh-ed25519") + string(blob),
        )
    )
    path = tmp_path / "bundle.tar.zst"
    write_archive(path, manifest, data, [armored], {}, lambda _size: None)
    assert "it was made for 'file', not for bundles" in _refusal(path, POLICY).details[0]


@pytest.mark.parametrize(
    ("signer", "problem"),
    [
        (
            AllowedSigner(principals="alice", key=ALICE.public, valid_before=NOW - 1),
            "no longer valid",
        ),
        (AllowedSigner(principals="alice", key=ALICE.public, valid_after=NOW + 1), "not valid yet"),
        (
            AllowedSigner(principals="alice", key=ALICE.public, namespaces=("git",)),
            "not allowed for wheelferry.bundle.v1",
        ),
    ],
    ids=["expired", "too early", "other namespace"],
)
def test_refuses_key_that_is_not_allowed_now(
    tmp_path: Path, small_bundle: bytes, signer: AllowedSigner, problem: str
) -> None:
    path = tmp_path / "bundle.tar.zst"
    path.write_bytes(small_bundle)
    error = _refusal(path, _policy(signer))
    assert isinstance(error, TrustError)
    assert problem in error.details[0]


def test_time_that_counts_is_the_hosts_not_the_bundles(tmp_path: Path) -> None:
    signer = AllowedSigner(principals="alice", key=ALICE.public, valid_before=CREATED + 10)
    policy = _policy(signer)
    path = _bundle(tmp_path, ALICE)
    assert examine(path, policy, CREATED + 5)
    assert isinstance(_refusal(path, policy, CREATED + 20), TrustError)


def test_one_of_two_lines_of_a_key_is_enough(tmp_path: Path) -> None:
    old = AllowedSigner(principals="alice", key=ALICE.public, valid_before=1)
    new = AllowedSigner(principals="alice", key=ALICE.public)
    policy = _policy(old, new)
    (signer,) = examine(_bundle(tmp_path, ALICE), policy)
    assert signer.problem is None


def test_one_accepted_signature_of_several_is_enough(tmp_path: Path) -> None:
    signers = examine(_bundle(tmp_path, BOB, ALICE), POLICY)
    assert [(signer.name, signer.problem) for signer in signers] == [
        (None, "this host does not know the key"),
        ("alice", None),
    ]


def test_signature_that_is_noise_does_not_spoil_the_others(
    tmp_path: Path, small_bundle: bytes
) -> None:
    plains = plain_frames(small_bundle)
    path = tmp_path / "bundle.tar.zst"
    path.write_bytes(
        join_plain([*plains[:2], member("signatures/2.sig", b"\xffnoise"), *plains[2:]])
    )
    signers = examine(path, POLICY)
    assert signers[1] == SignatureVerdict(
        member="signatures/2.sig",
        key=None,
        name=None,
        problem="not an SSH signature: it is not ASCII",
    )


def test_revoked_key_counts_nowhere(tmp_path: Path) -> None:
    revoked = RevokedKey(path=Path("revoked_keys"), key=ALICE.public)
    policy = replace(POLICY, revoked=(revoked,))
    error = _refusal(_bundle(tmp_path, ALICE), policy)
    assert "the key is revoked" in error.details[0]


def _two_of(*keys: SigningKey) -> Policy:
    return replace(policy_of(*keys), asked=2)


def test_takes_as_many_signatures_as_the_policy_asks_for(tmp_path: Path) -> None:
    assert examine(_bundle(tmp_path, ALICE, BOB), _two_of(ALICE, BOB))


@pytest.mark.parametrize("keys", [(ALICE,), (ALICE, ALICE), (ALICE, fixed_key("eve"))])
def test_counts_people_whose_key_is_accepted(tmp_path: Path, keys: tuple[SigningKey, ...]) -> None:
    error = _refusal(_bundle(tmp_path, *keys), _two_of(ALICE, BOB))
    assert isinstance(error, TrustError)
    assert error.message == ("bundle.tar.zst is signed by 1 person, this host asks for 2")


def test_says_who_has_to_sign_a_bundle_of_too_few(tmp_path: Path) -> None:
    error = _refusal(_bundle(tmp_path, ALICE), _two_of(ALICE, BOB))
    assert error.hint == (
        "another person that this host trusts must sign it too: bundle sign bundle.tar.zst"
    )


@pytest.mark.parametrize(("late", "refused"), [(-1, False), (0, True), (1, True)])
def test_refuses_bundle_that_has_expired(tmp_path: Path, late: int, refused: bool) -> None:
    manifest = make_manifest([]).replaced(expires=format_timestamp(NOW))
    data = serialize(manifest)
    path = tmp_path / "bundle.tar.zst"
    write_archive(path, manifest, data, [ALICE.sign(data)], {}, lambda _size: None)
    if refused:
        error = _refusal(path, POLICY, NOW + late)
        assert isinstance(error, OutdatedError)
        assert error.message == f"the bundle expired at {format_timestamp(NOW)}"
        assert "set this host's clock" in str(error.hint)
    else:
        assert examine(path, POLICY, NOW + late)
