"""Fits the pages to the site: where they are read on their own, they link to files beside docs/.

The format's reference stays with the code that it binds, and becomes a page here. Blocks say on
which host they are typed: `sh far` gets that as a title. Links to other files beside docs/ become
text, since the site has no copy of them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from wheelferry_installer.cli import bundle

ROOT = Path(__file__).resolve().parent.parent
FORMAT = "reference/format.md"
COMMANDS = "<!-- commands -->"
WIDTH = 78
HOSTS = {
    "online": "online host",
    "internet": "online host",
    "bob": "Bob's host",
    "far": "air-gapped host",
    "bare": "air-gapped host",
    "server": "host that serves",
}
_BLOCK = re.compile(r"^```sh (\w+)$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference of the format as a page."""
    text = (ROOT / "schemas/FORMAT.md").read_text(encoding="utf-8")
    files.append(File.generated(config, FORMAT, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite what means the repository, so that it means the site."""
    del config
    here = posixpath.dirname(page.file.src_uri)

    def link(found: re.Match[str]) -> str:
        text, path, heading = found[1], found[2], found[3] or ""
        target = posixpath.normpath(posixpath.join("docs", here, path))
        if target == "schemas/FORMAT.md":
            return f"[{text}]({posixpath.relpath(FORMAT, here or '.')}{heading})"
        if (
            target.startswith("docs/")
            or posixpath.normpath(posixpath.join(here, path)) in files.src_uris
        ):
            return found[0]
        if not (ROOT / target).exists():
            raise ValueError(f"{page.file.src_uri} links to {path}, which does not exist")
        return text

    if COMMANDS in markdown:
        markdown = markdown.replace(COMMANDS, "\n".join(_help(bundle, "bundle")))
    titled = _BLOCK.sub(lambda found: f'```sh title="{HOSTS[found[1]]}"', markdown)
    return _LINK.sub(link, titled)


def _help(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[str]:
    """Yield the help of a command and of those below it, each under a heading of its own."""
    context = command.make_context(
        name, [], parent=parent, resilient_parsing=True, terminal_width=WIDTH
    )
    yield f"\n## `{context.command_path}`\n\n```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is None:
                raise ValueError(f"there is no command {below}")
            yield from _help(found, below, context)
