"""Writes all vectors into a folder: python tests/vectors/generate.py FOLDER

Each vector becomes a folder of its own. `vector.json` in it tells the exit code that `bundle` has
to give, words of its error and its options; code 0 marks a control, which has to be accepted. The
other files are the input: a bundle and the lists of a host, or the wheels of a bundle that is as it
should be, or a project. The same version of Python and of libzstd writes the same bytes each time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vectors.archives import archive_vectors
from vectors.locks import lock_vectors
from vectors.manifests import manifest_vectors
from vectors.policies import policy_vectors
from vectors.python_tars import python_vectors
from vectors.signatures import signature_vectors
from vectors.tars import tar_vectors
from vectors.vector import Vector
from vectors.wheels import wheel_vectors

FAMILIES = {
    "archives": archive_vectors,
    "tars": tar_vectors,
    "manifests": manifest_vectors,
    "signatures": signature_vectors,
    "policies": policy_vectors,
    "locks": lock_vectors,
    "pythons": python_vectors,
}


def names() -> list[str]:
    """Return the path of each vector, without making it."""
    named = [f"{family}/{vector.name}" for family, make in FAMILIES.items() for vector in make()]
    return [*named, *(f"wheels/{vector.name}" for vector in wheel_vectors())]


def vectors(
    chosen: Collection[str] | None = None,
) -> Iterator[tuple[str, dict[str, object], Mapping[str, bytes]]]:
    """Yield each vector, or those whose paths are chosen: path, what is expected, and files."""
    for family, make in FAMILIES.items():
        for vector in make():
            path = f"{family}/{vector.name}"
            if chosen is None or path in chosen:
                yield path, _expected(vector), vector.files()
    for wheels in wheel_vectors():
        path = f"wheels/{wheels.name}"
        if chosen is None or path in chosen:
            expected = {"code": wheels.code, "words": wheels.words, "seen_by": wheels.seen_by}
            yield path, expected, {wheel.file_name: wheel.data for wheel in wheels.wheels()}


def _expected(vector: Vector) -> dict[str, object]:
    return {"code": vector.code, "words": vector.words, "options": vector.options}


def write(folder: Path) -> int:
    """Write all vectors; returns how many."""
    number = 0
    for path, expected, files in vectors():
        place = folder / path
        place.mkdir(parents=True)
        (place / "vector.json").write_text(f"{json.dumps(expected, indent=2)}\n", encoding="utf-8")
        for name, data in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(data)
        number += 1
    return number


if __name__ == "__main__":
    sys.stdout.write(f"{write(Path(sys.argv[1]))} vectors\n")
