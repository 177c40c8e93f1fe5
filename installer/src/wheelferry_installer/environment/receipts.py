"""Reads the receipts of what was installed; an invalid one counts as none."""

from __future__ import annotations

from pathlib import Path

from wheelferry_installer.system import open_folder
from wheelferry_installer.system.open_folder import NotPlainError, OpenFolder
from wheelferry_schemas import receipt
from wheelferry_schemas.errors import MalformedError
from wheelferry_schemas.receipt import Receipt


def read_receipt(environment: Path) -> Receipt | None:
    """Return the receipt in an environment, None if there is no valid one."""
    return read_receipt_in(environment / receipt.FOLDER)


def read_receipt_in(folder: Path) -> Receipt | None:
    """Return the receipt in a folder, None if there is no valid one."""
    try:
        with open_folder.opened(folder) as opened:
            return receipt.parse(opened.read(receipt.FILE_NAME))
    except (FileNotFoundError, NotADirectoryError, NotPlainError, MalformedError):
        return None


def receipt_below(folder: OpenFolder | None, name: str) -> Receipt | None:
    """Return the receipt of the environment `name` in a folder, None if there is no valid one."""
    try:
        data = folder.read(f"{name}/{receipt.FOLDER}/{receipt.FILE_NAME}") if folder else b""
        return receipt.parse(data)
    except (FileNotFoundError, NotADirectoryError, NotPlainError, MalformedError):
        return None
