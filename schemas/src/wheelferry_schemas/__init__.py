"""The contract between bundler and installer: models, layout, formats and errors.

Nothing in here does I/O, talks to a network, compresses or runs a program.
"""

__version__ = "0.1.0"
