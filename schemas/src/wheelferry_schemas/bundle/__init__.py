"""The bundle: its manifest, its archive, byte by byte."""
