"""Packs the installer into self-contained files."""
