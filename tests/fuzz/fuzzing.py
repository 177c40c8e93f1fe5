"""Changes seeds at random and feeds them to targets.

Run as a script, it fuzzes every target for a share of some seconds: python tests/fuzz/fuzzing.py 60
What makes a target fail is shrunk, told, and kept in the corpus, where the test suite finds it.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz.targets import CUT, TARGETS

CORPUS = Path(__file__).resolve().parent / "corpus"
_DEADLINE_MS = 5000
_TOKENS = (
    *(b"\0", b"\n", b"\r\n", b"\x1b[2J", b"\xff", b"\xef\xbb\xbf", b"../", b"/", b"\\", b'"', b"'"),
    *(b",", b"=", b":", b"[", b"]", b"{", b"}", b"(", b"%(x)s", b"-r ", b"#", b"1e400", b"-1"),
    *(b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"9" * 30, CUT, b"PK\x03\x04"),
    *(
        b"PK\x01\x02",
        b"PK\x05\x06",
        b"\x28\xb5\x2f\xfd",
        "\u202e".encode(),
        "\ud7ff\uff10".encode(),
    ),
)


def seeds(target: str) -> list[bytes]:
    """Return the corpus of a target, and what it would be if it was written now.

    So there are good seeds after a change of a format too.
    """
    from fuzz.make_corpus import corpus

    written = [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]
    return list(dict.fromkeys([*written, *corpus()[target].values()]))


@st.composite
def mutated(draw: st.DrawFn, corpus: Sequence[bytes]) -> bytes:
    """Draw a seed with a few changes: bytes replaced, put in, left out, repeated, from another."""
    data = draw(st.sampled_from(corpus))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(
            st.integers(start, min(len(data), start + draw(st.sampled_from((1, 4, 64, 4096)))))
        )
        change = draw(st.integers(0, 4))
        if change == 0:
            middle = draw(st.binary(max_size=8))
        elif change == 1:
            middle = data[start:end] + draw(st.sampled_from(_TOKENS))
        elif change == 2:
            middle = b""
        elif change == 3:
            middle = data[start:end] * draw(st.integers(2, 40))
        else:
            other = draw(st.sampled_from(corpus))
            at = draw(st.integers(0, len(other)))
            middle = other[at : at + max(end - start, 16)]
        data = data[:start] + middle + data[end:]
    return data


def feed(
    target: Callable[[bytes], None], corpus: Sequence[bytes], examples: int, *, always_same: bool
) -> None:
    """Feed a target with examples; raises what the target raises for the smallest that fails."""

    @settings(
        max_examples=examples,
        deadline=_DEADLINE_MS,
        derandomize=always_same,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated(corpus))
    def check(data: bytes) -> None:
        last[0] = data
        target(data)

    last = [b""]
    try:
        check()
    except BaseException:
        _failing[:] = last
        raise


_failing: list[bytes] = []


def main(seconds: float) -> int:
    """Fuzz all targets for that long together; returns how many failed."""
    failures = 0
    for name, target in TARGETS.items():
        corpus = seeds(name)
        number = 0
        end = time.monotonic() + seconds / len(TARGETS)
        try:
            while time.monotonic() < end:
                feed(target, corpus, 100, always_same=False)
                number += 100
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
            failures += 1
            path = CORPUS / name / f"found-{hashlib.sha256(_failing[0]).hexdigest()[:8]}"
            path.write_bytes(_failing[0])
            sys.stdout.write(f"{name}: {type(error).__name__}: {error}\n  kept as {path}\n")
            continue
        sys.stdout.write(f"{name}: {number} inputs\n")
    return failures


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])) > 0)
