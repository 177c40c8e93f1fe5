"""A program that proves that it runs where it was carried to."""

import sys

import numpy as np


def total(numbers: "list[float]") -> float:
    """Return the sum, by way of numpy."""
    return float(np.sum(numbers))


def main() -> None:
    """Print what runs here."""
    print(f"numpy {np.__version__} on Python {sys.version.split()[0]}: 1 + 2 = {total([1, 2]):g}")
