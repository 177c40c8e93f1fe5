import sys
from pathlib import Path

from faults.client import NO_FAULT, running

# The path begins five bytes before the end of a page.
_ACROSS_PAGES = """
import ctypes, mmap, sys
pages = mmap.mmap(-1, 2 * mmap.PAGESIZE)
path = sys.argv[1].encode() + bytes(1)
pages[mmap.PAGESIZE - 5 : mmap.PAGESIZE - 5 + len(path)] = path
start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
sys.exit(ctypes.CDLL(None).mkdir(ctypes.c_void_p(start + mmap.PAGESIZE - 5), 0o777))
"""


def test_tells_a_path_that_lies_in_two_pages(tmp_path: Path) -> None:
    folder = f"{tmp_path}/folder"
    with running() as tracer:
        ran = tracer.run((sys.executable, "-B", "-c", _ACROSS_PAGES, folder), tmp_path, NO_FAULT)
    assert ran.code == 0, ran.err
    assert f"mkdir {folder}" in ran.calls
