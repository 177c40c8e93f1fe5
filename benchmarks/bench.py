"""Compares wheelferry with pip, uv and tar: `python benchmarks/bench.py --help`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Modules are named from the repository's root, as mypy names them.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from benchmarks.comparison import main

    main()
