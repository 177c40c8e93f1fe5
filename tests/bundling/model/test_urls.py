from __future__ import annotations

import pytest

from wheelferry_bundler.model import urls
from wheelferry_schemas.errors import MalformedError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@index.example/simple", "https://index.example/simple"),
        ("https://token@index.example:8443/simple", "https://index.example:8443/simple"),
        ("https://index.example/a.whl?token=x#sha256=y", "https://index.example/a.whl"),
        ("ssh://git@index.example/repo.git", "ssh://git@index.example/repo.git"),
        ("ssh://git:pass@index.example/repo.git", "ssh://index.example/repo.git"),
        ("https://p%40ss:w@rd@index.example/", "https://index.example/"),
    ],
)
def test_shows_url_without_credentials(url: str, shown: str) -> None:
    assert urls.without_credentials(url) == shown


def test_refuses_invalid_url_without_repeating_it() -> None:
    with pytest.raises(MalformedError) as caught:
        urls.without_credentials("https://user:s3cret@[half/")
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "could not get https://user:pass@index.example/a.whl (403)",
            "could not get https://****@index.example/a.whl (403)",
        ),
        ("for url (https://s3.example/a?Signature=x)", "for url (https://s3.example/a?****)"),
        ("git+https://token@forge.example/r.git", "git+https://****@forge.example/r.git"),
        ("git+ssh://git@forge.example/r.git", "git+ssh://git@forge.example/r.git"),
        ("mail to someone@host.example", "mail to someone@host.example"),
        (
            "https://a.example/ and https://u:p@b.example/",
            "https://a.example/ and https://****@b.example/",
        ),
    ],
)
def test_takes_secrets_out_of_text(text: str, shown: str) -> None:
    assert urls.redacted(text) == shown


def test_file_name_is_last_part_of_path_unquoted() -> None:
    url = "https://index.example/files/demo-1.0%2Blocal-py3-none-any.whl?x=/y#sha256=z"
    assert urls.file_name(url) == "demo-1.0+local-py3-none-any.whl"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://index.example/simple", "https://user:pass@index.example:443/files/a.whl"),
        ("http://index.example", "http://INDEX.example:80/"),
    ],
)
def test_same_origin(one: str, other: str) -> None:
    assert urls.origin(one) == urls.origin(other)


@pytest.mark.parametrize(
    "other",
    [
        "http://index.example/simple",
        "https://index.example:8443/simple",
        "https://files.index.example/simple",
        "https://index.example:port/simple",
    ],
)
def test_other_origin(other: str) -> None:
    assert urls.origin("https://index.example/simple") != urls.origin(other)
