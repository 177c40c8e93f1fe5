"""Settings for the contract's tests."""

from support.running.properties import steady

steady()
