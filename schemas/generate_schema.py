"""Writes manifest-v1.schema.json from the models, or with --check tells whether it is current."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from wheelferry_schemas.bundle.manifest import Manifest
from wheelferry_schemas.models import END

PATH = Path(__file__).with_name("manifest-v1.schema.json")


def schema_text() -> str:
    """Return the JSON Schema of the manifest."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://wheelferry.example/manifest-v1.schema.json",
        **msgspec.json.schema(Manifest),
    }
    for model in schema["$defs"].values():
        # Up to Python 3.12 docstrings keep their indentation.
        model["description"] = inspect.cleandoc(model["description"])
    text = json.dumps(schema, indent=2, sort_keys=True) + "\n"
    # In patterns of JSON Schema `$` is the end alone.
    return text.replace(json.dumps(END)[1:-1], "$")


def main() -> int:
    """Write the schema, or compare it with the committed one."""
    text = schema_text()
    if "--check" in sys.argv[1:]:
        if not PATH.is_file() or PATH.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{PATH.name} differs from the models: run 'make schema'\n")
            return 1
        return 0
    PATH.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
