import pickle
from pathlib import Path

import pytest

from wheelferry_schemas import errors
from wheelferry_schemas.errors import (
    MalformedError,
    TamperedError,
    TransferError,
    TrustError,
    WheelferryError,
    in_families,
    raise_together,
)

FAMILIES = {
    errors.WheelferryError: 1,
    errors.BuildError: 1,
    errors.UsageError: 2,
    errors.TrustError: 3,
    errors.MalformedError: 4,
    errors.TamperedError: 4,
    errors.UnfitError: 5,
    errors.OutdatedError: 6,
    errors.TransferError: 7,
    errors.ConflictError: 8,
}


@pytest.mark.parametrize(("family", "exit_code"), FAMILIES.items())
def test_each_family_has_its_documented_exit_code(
    family: type[WheelferryError], exit_code: int
) -> None:
    assert family("no").exit_code == exit_code


def test_every_family_is_in_the_table_above() -> None:
    found = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, WheelferryError)
    }
    assert found == set(FAMILIES)


def test_text_is_message_and_details_without_hint() -> None:
    error = WheelferryError("two are wrong", hint="fix them", details=["one", "other"])
    assert str(error) == "two are wrong\none\nother"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_error_says_what_to_do(family: type[WheelferryError]) -> None:
    assert family("bad").hint


def test_hint_of_an_error_wins_over_that_of_its_family() -> None:
    assert MalformedError("bad", hint="do this").hint == "do this"


def test_tampered_bundle_is_told_with_what_to_do() -> None:
    assert "copy it again" in str(TamperedError("bad").hint)


@pytest.mark.parametrize("family", FAMILIES)
def test_error_comes_whole_out_of_a_worker_process(family: type[WheelferryError]) -> None:
    error = family("bad", details=["a", "b"])
    error.hint = "good"
    back = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(back) is family
    assert (back.message, back.details, back.hint) == ("bad", ("a", "b"), "good")


def test_details_cannot_be_changed_from_outside() -> None:
    details = ["one"]
    error = TrustError("no", details=details)
    details.append("other")
    assert error.details == ("one",)


def test_problems_are_raised_as_the_gravest_of_them() -> None:
    full = TransferError("a: disk full", hint="free space")
    bad = MalformedError("b: two rules", details=["one", "other"], hint="ask")
    tampered = TamperedError("c: hash")
    with pytest.raises(TamperedError, match="3 of them") as caught:
        raise_together([full, bad, tampered], "3 of them")
    assert caught.value.details == ("a: disk full", "b: two rules", "one", "other", "c: hash")
    assert caught.value.hint == tampered.hint
    with pytest.raises(MalformedError) as caught_two:
        raise_together([full, bad], "2 of them")
    assert caught_two.value.hint == "ask"


def test_a_single_problem_is_raised_as_it_is() -> None:
    problem = TransferError("disk full")
    with pytest.raises(TransferError) as caught:
        raise_together([problem], "1 of them")
    assert caught.value is problem


def test_no_problem_raises_nothing() -> None:
    raise_together([], "none of them")


def test_what_the_system_refuses_is_raised_as_ours(tmp_path: Path) -> None:
    @in_families
    def reads(path: Path, *, more: str) -> str:
        return path.read_text(encoding="utf-8") + more

    with pytest.raises(TransferError, match="nothing: No such file"):
        reads(tmp_path / "nothing", more="")
    (tmp_path / "file").write_text("a", encoding="utf-8")
    assert reads(tmp_path / "file", more="b") == "ab"


def test_a_pipe_that_nobody_reads_is_the_callers_affair() -> None:
    @in_families
    def writes() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        writes()
