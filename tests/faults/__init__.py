"""Faults: what an installation leaves when it is killed, or the disk fails, at any system call."""
