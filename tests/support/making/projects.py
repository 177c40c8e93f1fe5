"""Small projects with a uv.lock, whose packages are on a local index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from support.making.wheels import TinyWheel, make_wheel
from support.running.index import LocalIndex

_BACKEND = """
import hashlib, base64, os, zipfile

def _wheel(folder):
    name, version = "demo", "1.0"
    info = f"{name}-{version}.dist-info"
    files = {
        "demo.py": open("demo.py", "rb").read(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{info}/entry_points.txt": b"[console_scripts]\\ndemo = demo:main\\n",
    }
    rows = ""
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows += f"{path},sha256={digest},{len(data)}\\n"
    files[f"{info}/RECORD"] = (rows + f"{info}/RECORD,,\\n").encode()
    file_name = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, file_name), "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 2, 2, 0, 0, 0)), data)
    return file_name

def build_wheel(folder, config_settings=None, metadata_directory=None):
    return _wheel(folder)
"""


def make_project(
    folder: Path,
    index: LocalIndex,
    dependencies: Sequence[tuple[TinyWheel, str | None]] = (),
    dev: Sequence[tuple[TinyWheel, str | None]] = (),
    *,
    built: bool = True,
) -> Path:
    """Make the project `demo`, with a build backend of its own and a lock.

    Dependencies are wheels, each with a marker or None; they are put on the index. Unless it is
    `built`, a bundle holds its dependencies alone, and takes no pip.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "backend.py").write_text(_BACKEND, encoding="utf-8")
    (folder / "demo.py").write_text("def main():\n    print('demo runs')\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        "[project]\nname = 'demo'\nversion = '1.0'\n"
        + ("" if built else "[tool.uv]\npackage = false\n"),
        encoding="utf-8",
    )
    wheels = {wheel.file_name: wheel for wheel, _ in (*dependencies, *dev)}
    index.add(*wheels.values())
    by_package: dict[tuple[str, str], list[TinyWheel]] = {}
    for wheel in wheels.values():
        name, version = wheel.file_name.split("-")[:2]
        by_package.setdefault((name.replace("_", "-"), version), []).append(wheel)
    parts = ["version = 1\nrevision = 3\nrequires-python = '>=3.8'\n"]
    for (name, version), files in sorted(by_package.items()):
        parts.append(
            f"[[package]]\nname = '{name}'\nversion = '{version}'\n"
            f"source = {{ registry = '{index.simple_url}' }}\nwheels = ["
        )
        parts += (
            f"  {{ url = '{index.file_url(file.file_name)}', hash = 'sha256:{file.sha256}', "
            f"size = {file.size} }},"
            for file in files
        )
        parts.append("]\n")
    source = "editable" if built else "virtual"
    parts.append(f"[[package]]\nname = 'demo'\nversion = '1.0'\nsource = {{ {source} = '.' }}")
    parts.append(f"dependencies = [{_edges(dependencies)}]\n")
    parts.append(f"[package.dev-dependencies]\ndev = [{_edges(dev)}]\n")
    (folder / "uv.lock").write_text("\n".join(parts), encoding="utf-8")
    return folder


def _edges(wheels: Sequence[tuple[TinyWheel, str | None]]) -> str:
    edges = {}
    for wheel, marker in wheels:
        name = wheel.file_name.split("-")[0].replace("_", "-")
        condition = f', marker = "{marker}"' if marker else ""
        edges[name] = f"{{ name = '{name}'{condition} }}"
    return ", ".join(edges.values())


def compiled(name: str, version: str, *platforms: str, python: str = "cp312") -> list[TinyWheel]:
    """Return the wheels of a package that is compiled for these platforms."""
    return [
        make_wheel(name, version, tag=f"{python}-{python}-{platform}", pure=False)
        for platform in platforms
    ]
