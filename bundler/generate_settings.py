"""Writes what is made from the models of the settings; `--check` compares.

That is `settings.schema.json`, for editors, and the tables of the reference page.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from wheelferry_bundler.api import settings_schema

FOLDER = Path(__file__).parent
SCHEMA = FOLDER / "settings.schema.json"
PAGE = FOLDER.parent / "docs/reference/settings.md"
_TABLES = re.compile(r"(<!-- keys of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def schema_text() -> str:
    """Return the JSON Schema as it is committed."""
    return json.dumps(settings_schema(), indent=2, sort_keys=True) + "\n"


def page_text(page: str) -> str:
    """Return the page with its tables made anew."""
    schema = settings_schema()
    own = schema["$defs"]["TargetSettings"]["properties"]
    tables = {
        "settings": schema["properties"],
        "targets": {k: v for k, v in own.items() if k not in schema["properties"]},
    }
    return _TABLES.sub(lambda match: f"{match[1]}{_table(tables[match[2]])}{match[3]}", page)


def _table(properties: dict[str, Any]) -> str:
    rows = (
        f"| `{key}` | {_kind(value)} | {value['description']} |\n"
        for key, value in properties.items()
    )
    return "| key | takes | |\n|---|---|---|\n" + "".join(rows)


def _kind(value: dict[str, Any]) -> str:
    if "anyOf" in value:
        return "a text, or a list"
    if "const" in value:
        return f"`{value['const']}`"
    return {"boolean": "`true`, `false`", "string": "a text", "object": "tables"}[value["type"]]


def main() -> int:
    """Write both files, or compare them with the committed ones."""
    texts = {SCHEMA: schema_text(), PAGE: page_text(PAGE.read_text(encoding="utf-8"))}
    if "--check" not in sys.argv[1:]:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        return 0
    old = [
        path
        for path, text in texts.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in old:
        sys.stderr.write(f"{path.name} differs from the models: run 'make schema'\n")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
