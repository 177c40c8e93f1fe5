"""Environments that hold next to nothing, one after the other in one place."""

from __future__ import annotations

from pathlib import Path

from support.running.command import tree
from wheelferry_installer.environment.generations import control_folder, locked
from wheelferry_installer.environment.receipts import read_receipt
from wheelferry_schemas import receipt
from wheelferry_schemas.receipt import Receipt

Tree = dict[str, tuple[str, int, bytes]]


def fill(folder: Path, generation: str) -> Tree:
    """Make an environment; returns what is in it."""
    written = Receipt(
        format=1,
        generation=generation,
        tool="wheelferry tests",
        installed="2026-11-22T07:45:00Z",
        bundle="bundle.tar.zst",
        bundle_name="demo",
        bundle_created="2026-11-21T07:45:00Z",
        manifest_sha256="0" * 64,
        target="here",
        interpreter="/usr/bin/python3",
        python="3.12.4",
        compiled=False,
        signers=(),
        packages=(),
        files=(),
    )
    for part in ("lib", receipt.FOLDER):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "lib" / f"{generation}.py").write_text(generation)
    (folder / "shared.py").write_text(generation)
    (folder / "python").symlink_to("/usr/bin/python3")
    (folder / receipt.FOLDER / receipt.FILE_NAME).write_bytes(receipt.serialize(written))
    return tree(folder)


def install_generation(environment: Path, generation: str, *, sync: bool = False) -> None:
    with locked(environment) as managed:
        fill(managed.staging, generation)
        managed.commit(generation, sync=sync)


def fail_to_install(environment: Path, generation: str, error: type[BaseException]) -> None:
    with locked(environment) as managed:
        fill(managed.staging, generation)
        raise error


def roll_back(environment: Path) -> None:
    with locked(environment) as managed:
        managed.rollback(sync=False)


def generation_of(folder: Path) -> str | None:
    present = read_receipt(folder)
    return present.generation if present else None


def beside(environment: Path) -> set[str]:
    """Return what lies beside the environment: the control folder and what is in it."""
    control = control_folder(environment)
    return {path.name for path in control.iterdir()} if control.exists() else set()


KEPT = {"lock", ".gitignore", "previous"}


def recover(environment: Path) -> None:
    with locked(environment):
        pass
