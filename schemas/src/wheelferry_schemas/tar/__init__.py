"""Tar archives, read by an allow list."""
