"""`bundle settings`: shows what a project decides about its bundles, and where it says so."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wheelferry_bundler.commands.printing import say, say_json, tell
from wheelferry_bundler.commands.stated_options import created_at

if TYPE_CHECKING:
    from wheelferry_bundler.api import Settings, Value, WantedBundle

_DEFAULTS = {
    "platform": "this host's",
    "python": "the one that runs wheelferry",
    "key": "your own",
    "output": "bundle.tar.zst",
    "expires": "never",
}
"""What holds where nothing is stated, of what matters most."""


@click.command(short_help="Show what [tool.wheelferry] sets (online host).")
@click.argument("source", type=click.Path(path_type=Path), default=".")
@click.option("--json", "as_json", is_flag=True, help="Print the settings as JSON.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the settings.")
def settings(source: Path, as_json: bool, schema: bool) -> None:
    """Show the settings that hold for SOURCE, where each comes from, and the bundles they make.

    Settings are the table [tool.wheelferry] of pyproject.toml, or a file wheelferry.toml beside the
    source. The command line of 'bundle create' wins over them.
    """
    from wheelferry_bundler import api

    if schema:
        say_json(api.settings_schema())
        return
    found = api.read_settings(api.find_source(source))
    bundles = api.wanted_bundles(found, created=created_at())
    rows = list(_rows(found))
    if as_json:
        say_json(
            {
                "file": str(found.path) if found else None,
                "notes": list(found.notes) if found else [],
                "settings": rows,
                "bundles": [_bundle_json(bundle) for bundle in bundles],
            }
        )
        return
    if found is None:
        tell("no settings: there is no [tool.wheelferry], and no wheelferry.toml (bundle init)")
    else:
        tell(*found.notes)
    _show(rows)
    for bundle in bundles:
        say(f"makes {bundle.output}: {', '.join(target.id for target in bundle.targets)}")


def _rows(found: Settings | None) -> Iterator[dict[str, Any]]:
    """Yield what is in force: what is stated, then the defaults of what is not."""
    values = found.values if found else {}
    if found:
        yield from (_row(found, None, *item) for item in values.items())
        for name, own in found.targets.items():
            yield from (_row(found, name, *item) for item in own.items())
    stated = {*values}
    for own in found.targets.values() if found else ():
        stated |= {"platform", "python"} if "describe" in own else {*own}
    for option, text in _DEFAULTS.items():
        if option not in stated:
            if option == "output" and values.get("self-contained"):
                text = "bundle.pyz"  # noqa: PLW2901 - the default depends on another option
            yield {"option": option, "target": None, "value": text, "from": "default"}


def _row(found: Settings, target: str | None, option: str, value: Value) -> dict[str, Any]:
    return {
        "option": option,
        "target": target,
        "value": list(value) if isinstance(value, tuple) else value,
        "from": "settings",
        "file": str(found.path),
        "line": found.line_of(option, target),
    }


def _show(rows: list[dict[str, Any]]) -> None:
    shown = [(_name(row), _value(row["value"]), _origin(row)) for row in rows]
    widths = [max(len(line[i]) for line in shown) for i in (0, 1)]
    for name, value, origin in shown:
        say(f"{name:{widths[0]}}  {value:{widths[1]}}  {origin}")


def _name(row: Mapping[str, Any]) -> str:
    return row["option"] if row["target"] is None else f"{row['target']}: {row['option']}"


def _value(value: bool | str | list[str]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else " ".join(map(shlex.quote, value)) or "none"


def _origin(row: Mapping[str, Any]) -> str:
    return f"{row['file']}:{row['line']}" if row["from"] == "settings" else "default"


def _bundle_json(bundle: WantedBundle) -> dict[str, Any]:
    return {
        "output": str(bundle.output),
        "names": list(bundle.names),
        "targets": [target.id for target in bundle.targets],
        "self_contained": bundle.self_contained,
        "keys": list(map(str, bundle.keys)),
        "expires": bundle.options.expires,
    }
