"""One wheel: every check before a file of it is written."""
