"""Reads the sources and files of packages in a uv.lock."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

from wheelferry_bundler.model.locked import Artifact, PackageSource
from wheelferry_bundler.model.urls import file_name as url_file_name
from wheelferry_bundler.model.urls import without_credentials
from wheelferry_bundler.read.project_paths import leaves, local_path
from wheelferry_bundler.read.toml_tables import Table
from wheelferry_schemas.errors import MalformedError


def source_key(table: Table) -> str:
    """Return a text that distinguishes sources of the same name and version."""
    return json.dumps(table.data, sort_keys=True, default=str)


def read_source(table: Table, folder: Path) -> PackageSource:
    """Read `source = { registry = … }` and the other kinds; relative paths start at `folder`."""
    if "registry" in table:
        location = table.text("registry")
        if "://" in location:
            return PackageSource(kind="registry", location=without_credentials(location))
        return PackageSource(
            kind="registry",
            location=location,
            path=folder / location,
            leaves_project=leaves(folder, location),
        )
    if "url" in table:
        url = table.text("url")
        return PackageSource(
            kind="url",
            location=without_credentials(url),
            url=url,
            subdirectory=table.optional_text("subdirectory"),
        )
    if "git" in table:
        return _git_source(table)
    for key in ("path", "directory", "editable", "virtual"):
        if key in table:
            location = table.text(key)
            return PackageSource(
                kind="directory" if key == "editable" else key,  # type: ignore[arg-type]
                location=location,
                path=folder / location,
                leaves_project=leaves(folder, location),
            )
    raise MalformedError(
        f"{table.where}: unknown kind of source {sorted(table.data)}",
        hint="upgrade wheelferry if a newer uv wrote this lock",
    )


def read_artifact(table: Table, source: PackageSource, folder: Path) -> Artifact:
    """Read a wheel or a source archive; the source supplies what the table omits."""
    url = table.optional_text("url")
    path = table.optional_text("path")
    if url is None and path is None and source.kind == "url":
        url = source.url
    if path is not None:
        index = source.path or folder
        if leaves(index, path):
            raise MalformedError(
                f"{table.where}: {path} leads out of its index", hint="lock the project again"
            )
        location: Path | None = index / path
    else:
        location = source.path if source.kind == "path" else None
    file_name = table.optional_text("filename")
    if file_name is None:
        file_name = url_file_name(url) if url else location.name if location else None
    if not file_name:
        raise MalformedError(f"{table.where}: it names no file")
    here = local_path(url) if url and location is None else None
    return Artifact(
        file_name=file_name,
        url=None if here else url,
        path=here or location,
        sha256=_stated_hash(table),
        size=table.optional_size("size"),
    )


def _git_source(table: Table) -> PackageSource:
    """Read `https://host/repo?rev=main&subdirectory=x#commit`."""
    parts = urlsplit(table.text("git"))
    if not parts.fragment:
        raise MalformedError(f"{table.where}: the git source states no commit")
    query = dict(item.partition("=")[::2] for item in parts.query.split("&") if item)
    url = parts._replace(query="", fragment="").geturl()
    return PackageSource(
        kind="git",
        location=without_credentials(url),
        url=url,
        commit=parts.fragment,
        subdirectory=unquote(query["subdirectory"]) if "subdirectory" in query else None,
    )


def _stated_hash(table: Table) -> str | None:
    text = table.optional_text("hash")
    if text is None:
        return None
    algorithm, _, digest = text.partition(":")
    if algorithm != "sha256":
        return None
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise MalformedError(f"{table.where}: {text!r} is not a hash")
    return digest
