import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.making.archives import NOW, policy_of
from support.making.bundles import make_bundle
from support.making.wheels import make_wheel
from support.running.hosts import interpreter, target
from support.running.ssh import fixed_key
from wheelferry_installer.environment.present import present_in
from wheelferry_installer.plan.environment_plan import EnvironmentPlan, plan
from wheelferry_installer.plan.fitting import Fit, fit
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_installer.verify.verification import VerifiedBundle, verify
from wheelferry_schemas import receipt
from wheelferry_schemas.bundle import layout
from wheelferry_schemas.errors import ConflictError, OutdatedError
from wheelferry_schemas.models import canonical_json
from wheelferry_schemas.receipt import Receipt


@pytest.fixture
def bundle(tmp_path: Path) -> Iterator[VerifiedBundle]:
    alice = fixed_key("alice")
    path = make_bundle(
        tmp_path / "bundle.tar.zst", [make_wheel("pure")], keys=[alice], targets=[target()]
    )
    verified = verify(open_bundle(path), policy_of(alice), NOW)
    yield verified
    verified.close()


@pytest.fixture
def here(bundle: VerifiedBundle) -> Fit:
    return fit(bundle.manifest, [interpreter()])


def _plan(bundle: VerifiedBundle, here: Fit, environment: Path, **options: Any) -> EnvironmentPlan:
    return plan(
        bundle,
        present_in(environment, bundle.sha256),
        here,
        **{"compile_bytecode": False, **options},
    )


def _make_environment(
    environment: Path, bundle: VerifiedBundle, here: Fit, **changes: object
) -> Receipt:
    """Leave what an installation of the bundle would leave, as far as a plan looks at it."""
    (package,) = here.packages
    record = environment / "lib/python3.12/site-packages/pure-1.0.dist-info/RECORD"
    record.parent.mkdir(parents=True)
    record.write_text("pure-1.0.dist-info/RECORD,,\n", encoding="ascii")
    installed = {
        "name": package.name,
        "version": package.version,
        "wheel": package.wheel,
        "sha256": package.sha256,
        "record": record.relative_to(environment).as_posix(),
        "record_sha256": hashlib.sha256(record.read_bytes()).hexdigest(),
    }
    written = receipt.parse(
        canonical_json(
            {
                "format": 1,
                "generation": "1",
                "tool": "wheelferry tests",
                "installed": "2026-11-22T07:45:00Z",
                "bundle": bundle.path.name,
                "bundle_name": bundle.manifest.name,
                "bundle_created": bundle.manifest.created,
                "manifest_sha256": bundle.sha256,
                "target": here.target.id,
                "interpreter": str(here.interpreter.base_executable),
                "python": here.interpreter.markers["python_full_version"],
                "compiled": False,
                "signers": (),
                "packages": (installed,),
                "files": (),
                **changes,
            }
        )
    )
    folder = environment / receipt.FOLDER
    folder.mkdir(parents=True)
    (folder / layout.MANIFEST).write_bytes(bundle.manifest_bytes)
    (folder / receipt.FILE_NAME).write_bytes(receipt.serialize(written))
    return written


def test_plans_new_environment(bundle: VerifiedBundle, here: Fit, tmp_path: Path) -> None:
    planned = _plan(bundle, here, tmp_path / "a" / "env")
    assert planned.environment == tmp_path / "a" / "env"
    assert planned.receipt is None
    assert not planned.up_to_date
    assert [package.name for package in planned.packages] == ["pure"]


def test_writes_nothing(bundle: VerifiedBundle, here: Fit, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    _plan(bundle, here, tmp_path / "a" / "env")
    assert sorted(tmp_path.rglob("*")) == before


def test_path_of_environment_is_absolute_and_plain(
    bundle: VerifiedBundle, here: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _plan(bundle, here, Path("x/../env")).environment == tmp_path / "env"


def test_takes_empty_folder(bundle: VerifiedBundle, here: Fit, tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    assert _plan(bundle, here, tmp_path / "env").receipt is None


def test_same_bundle_target_and_interpreter_leave_nothing_to_do(
    bundle: VerifiedBundle, here: Fit, tmp_path: Path
) -> None:
    present = _make_environment(tmp_path / "env", bundle, here)
    planned = _plan(bundle, here, tmp_path / "env")
    assert planned.receipt == present
    assert planned.up_to_date


@pytest.mark.parametrize(
    "changes",
    [
        {"manifest_sha256": "0" * 64},
        {"target": "other"},
        {"interpreter": "/opt/python3.12"},
        {"python": "3.12.3"},
    ],
    ids=str,
)
def test_anything_else_is_replaced(
    bundle: VerifiedBundle, here: Fit, tmp_path: Path, changes: dict[str, object]
) -> None:
    _make_environment(tmp_path / "env", bundle, here, **changes)
    assert not _plan(bundle, here, tmp_path / "env").up_to_date


@pytest.mark.parametrize(
    ("compiled", "asked", "up_to_date"),
    [(False, False, True), (False, True, False), (True, False, True), (True, True, True)],
)
def test_compiled_environment_serves_where_none_was_asked_for(
    bundle: VerifiedBundle,
    here: Fit,
    tmp_path: Path,
    compiled: bool,
    asked: bool,
    up_to_date: bool,
) -> None:
    _make_environment(tmp_path / "env", bundle, here, compiled=compiled)
    planned = _plan(bundle, here, tmp_path / "env", compile_bytecode=asked)
    assert planned.up_to_date is up_to_date


def test_reinstalls_where_asked_to(bundle: VerifiedBundle, here: Fit, tmp_path: Path) -> None:
    _make_environment(tmp_path / "env", bundle, here)
    assert not _plan(bundle, here, tmp_path / "env", reinstall=True).up_to_date


def test_refuses_bundle_older_than_what_is_installed(
    bundle: VerifiedBundle, here: Fit, tmp_path: Path
) -> None:
    _make_environment(tmp_path / "env", bundle, here, bundle_created="2026-11-22T07:45:00Z")
    with pytest.raises(OutdatedError) as caught:
        _plan(bundle, here, tmp_path / "env")
    assert "created at 2023-11-14T22:13:20Z, the installed one at " in caught.value.message
    assert "--allow-downgrade" in str(caught.value.hint)


def test_goes_back_where_asked_to(bundle: VerifiedBundle, here: Fit, tmp_path: Path) -> None:
    _make_environment(tmp_path / "env", bundle, here, bundle_created="2026-11-22T07:45:00Z")
    assert _plan(bundle, here, tmp_path / "env", allow_downgrade=True).receipt is not None


def test_refuses_bundle_of_another_name(bundle: VerifiedBundle, here: Fit, tmp_path: Path) -> None:
    _make_environment(tmp_path / "env", bundle, here, bundle_name="other")
    with pytest.raises(ConflictError) as caught:
        _plan(bundle, here, tmp_path / "env", allow_downgrade=True, reinstall=True)
    assert caught.value.message == (
        f"{tmp_path / 'env'} belongs to 'other', but {bundle.path.name} is a bundle of 'demo'"
    )
    assert "--replace" in str(caught.value.hint)


def test_replaces_what_is_of_another_name_where_asked_to_whatever_its_date(
    bundle: VerifiedBundle, here: Fit, tmp_path: Path
) -> None:
    later = "2026-11-22T07:45:00Z"
    _make_environment(tmp_path / "env", bundle, here, bundle_name="other", bundle_created=later)
    assert _plan(bundle, here, tmp_path / "env", replace_other=True).receipt is not None


def _refusal(bundle: VerifiedBundle, here: Fit, environment: Path) -> str:
    with pytest.raises(ConflictError) as caught:
        _plan(bundle, here, environment)
    assert str(caught.value.hint).startswith("move it away, ")
    return caught.value.message


def test_refuses_folder_that_is_not_ours(bundle: VerifiedBundle, here: Fit, tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "notes.txt").write_text("mine")
    said = _refusal(bundle, here, tmp_path / "env")
    assert said == f"{tmp_path / 'env'} already exists and was not made by wheelferry"


def test_refuses_environment_whose_receipt_cannot_be_read(
    bundle: VerifiedBundle, here: Fit, tmp_path: Path
) -> None:
    _make_environment(tmp_path / "env", bundle, here)
    (tmp_path / "env" / receipt.FOLDER / receipt.FILE_NAME).write_text("{}")
    assert "was not made by wheelferry" in _refusal(bundle, here, tmp_path / "env")


def test_refuses_file(bundle: VerifiedBundle, here: Fit, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("mine")
    assert "is not a folder" in _refusal(bundle, here, tmp_path / "env")


@pytest.mark.parametrize("exists", [True, False])
def test_refuses_link(bundle: VerifiedBundle, here: Fit, tmp_path: Path, exists: bool) -> None:
    if exists:
        _make_environment(tmp_path / "elsewhere", bundle, here)
    (tmp_path / "env").symlink_to("elsewhere")
    assert "is not a folder" in _refusal(bundle, here, tmp_path / "env")


def test_refuses_place_below_a_file(bundle: VerifiedBundle, here: Fit, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConflictError, match="is below something that is not a folder"):
        _plan(bundle, here, tmp_path / "file" / "env")


def test_refuses_root(bundle: VerifiedBundle, here: Fit) -> None:
    assert "was not made by wheelferry" in _refusal(bundle, here, Path("/"))
