"""Settings for the contract's tests."""

from support.properties import steady

steady()
