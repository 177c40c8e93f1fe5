"""Wheels that many people use: a rule that refuses one of them would be a wrong one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wheelferry_installer.wheel.verified_wheel import VerifiedWheel

PROJECTS = (
    *("aiohttp", "aiosignal", "annotated-types", "anyio", "asgiref", "attrs", "babel"),
    *("beautifulsoup4", "boto3", "botocore", "cachetools", "certifi", "cffi", "chardet"),
    *("charset-normalizer", "click", "colorama", "coverage", "cryptography", "decorator"),
    *("distlib", "django", "docutils", "fastapi", "filelock", "flask", "frozenlist", "fsspec"),
    *("google-api-core", "greenlet", "grpcio", "h11", "httpcore", "httpx", "idna", "iniconfig"),
    *("jinja2", "jmespath", "jsonschema", "lxml", "markdown-it-py", "markupsafe", "matplotlib"),
    *("more-itertools", "multidict", "mypy-extensions", "networkx", "numpy", "oauthlib"),
    *("packaging", "pandas", "pillow", "pip", "platformdirs", "pluggy", "propcache", "protobuf"),
    *("psutil", "pyasn1", "pycparser", "pydantic", "pydantic-core", "pygments", "pyjwt"),
    *("pyparsing", "pytest", "python-dateutil", "pytz", "pyyaml", "requests", "rich", "rsa"),
    *("s3transfer", "scipy", "setuptools", "six", "sniffio", "soupsieve", "sqlalchemy"),
    *("starlette", "tomli", "tqdm", "typing-extensions", "tzdata", "urllib3", "virtualenv"),
    *("werkzeug", "wheel", "wrapt", "yarl", "zipp"),
)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    folder = tmp_path_factory.mktemp("wheels")
    command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary")
    subprocess.run([*command, ":all:", "--dest", folder, *PROJECTS], check=True)
    return tuple(sorted(folder.glob("*.whl")))


@pytest.mark.ends
@pytest.mark.online
def test_takes_wheels_that_many_people_use(wheels: tuple[Path, ...]) -> None:
    assert len(wheels) == len(PROJECTS)
    for path in wheels:
        with path.open("rb") as file:
            # Reading a content to its end holds it against RECORD.
            for _, stream, _ in VerifiedWheel(file, path.name).get_contents():
                while stream.read(2**20):
                    pass
