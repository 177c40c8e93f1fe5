"""No public name and no signature changes unnoticed."""

from contract.public_api import FILE, MODULES, listing


def test_names_and_signatures_are_those_of_the_list() -> None:
    assert listing() == FILE.read_text(encoding="utf-8"), (
        "the public API is another one: if that is meant, run 'make public-api', look at what has "
        "changed, and say it in CHANGELOG.md"
    )


def test_the_list_has_every_function_with_its_arguments() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(MODULES) + sum(len(module.__all__) for module in MODULES)
    [verify] = [line for line in lines if line.startswith("  verify(")]
    assert "policy: 'Policy', *, now: 'int | None' = None" in verify
