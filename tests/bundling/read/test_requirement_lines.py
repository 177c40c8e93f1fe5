from __future__ import annotations

from pathlib import Path

import pytest

from wheelferry_bundler.model.locations import Index
from wheelferry_bundler.read.requirement_lines import RequirementLines, read_lines
from wheelferry_schemas.errors import MalformedError, TransferError, UsageError

ONE, TWO = "1" * 64, "2" * 64
URL = "https://index.example/simple"


def read(folder: Path, text: str, **others: str) -> RequirementLines:
    """Read a requirements file; `others` are further files beside it, without their suffix."""
    for name, content in others.items():
        (folder / f"{name}.txt").write_text(content, encoding="utf-8")
    (folder / "requirements.txt").write_text(text, encoding="utf-8")
    return read_lines(folder / "requirements.txt")


@pytest.mark.parametrize(
    "line",
    [
        "demo",
        "demo==1.0",
        "demo[extra,other]>=1,<2 ; python_version >= '3.8'",
        "demo @ https://index.example/demo-1.0-py3-none-any.whl",
        "demo @ git+https://forge.example/demo@main#subdirectory=libs",
        "git+ssh://git@forge.example/demo.git",
        "./demo",
        "../demo[extra] ; sys_platform == 'linux'",
        "demo-1.0-py3-none-any.whl",
        "file:demo",
        "https://index.example/demo-1.0.tar.gz",
    ],
)
def test_hands_requirements_on_as_they_are(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, line).text == f"{line}\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# alone\ndemo  # behind\n\n", ["demo"]),
        (
            "demo@https://index.example/a.whl#egg=demo",
            ["demo@https://index.example/a.whl#egg=demo"],
        ),
        ("demo>=1, \\\n  <2\n", ["demo>=1,    <2"]),
        ("demo \\\n  # comment ends it\nother", ["demo", "other"]),
        ("# comment does not go on \\\nother", ["other"]),
        ("demo \\", ["demo"]),
        ("\ufeffdemo\r\nother\r\n", ["demo", "other"]),
    ],
)
def test_joins_lines_and_drops_comments(tmp_path: Path, text: str, lines: list[str]) -> None:
    (tmp_path / "requirements.txt").write_bytes(text.encode())
    assert read_lines(tmp_path / "requirements.txt").text.splitlines() == lines


def test_fills_in_variables_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_VERSION", "1.0")
    monkeypatch.delenv("UNSET_VARIABLE", raising=False)
    text = "demo==${DEMO_VERSION}\n./${UNSET_VARIABLE}/demo\n./$DEMO_VERSION\n"
    assert read(tmp_path, text).text == "demo==1.0\n./${UNSET_VARIABLE}/demo\n./$DEMO_VERSION\n"


@pytest.mark.parametrize(
    "option", ["-r more.txt", "-rmore.txt", "--requirement more.txt", "--requirement=more.txt"]
)
def test_reads_included_files(tmp_path: Path, option: str) -> None:
    assert read(tmp_path, f"demo\n{option}\n", more="other\n").text == "demo\nother\n"


def test_reads_included_file_with_a_blank_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "even more.txt").write_text("other\n", encoding="utf-8")
    assert read(tmp_path, '-r "even more.txt"').text == "other\n"


def test_finds_included_files_beside_the_one_that_includes_them(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "one.txt").write_text("-r two.txt\n", encoding="utf-8")
    (tmp_path / "sub" / "two.txt").write_text("other\n", encoding="utf-8")
    assert read(tmp_path, "-r sub/one.txt").text == "other\n"


def test_reads_files_that_include_each_other_once(tmp_path: Path) -> None:
    text = read(tmp_path, "demo\n-r more.txt\n", more="-r requirements.txt\nother\n").text
    assert text == "demo\nother\n"


@pytest.mark.parametrize("option", ["-c", "--constraint"])
def test_keeps_constraints_apart(tmp_path: Path, option: str) -> None:
    lines = read(tmp_path, f"demo\n{option} limits.txt\n", limits="-r more.txt\n", more="other<2\n")
    assert (lines.text, lines.constraints) == ("demo\n", "other<2\n")


def test_names_an_included_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=r"none\.txt cannot be read"):
        read(tmp_path, "-r none.txt")


def test_refuses_to_include_a_url(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"requirements\.txt:2: --requirement names a URL"):
        read(tmp_path, "demo\n-r https://index.example/more.txt")


def test_collects_hashes_by_normalized_name(tmp_path: Path) -> None:
    text = f"Demo_Pkg==1.0 \\\n    --hash=sha256:{ONE} \\\n    --hash sha256:{TWO.upper()}\n"
    lines = read(tmp_path, text)
    assert lines.hashes == {"demo-pkg": {ONE, TWO}}
    assert lines.text == "Demo_Pkg==1.0\n"


@pytest.mark.parametrize(
    "line",
    [
        f"demo @ https://index.example/demo-1.0-py3-none-any.whl#sha256={ONE}",
        f"https://index.example/demo-1.0-py3-none-any.whl#sha256={ONE}",
        f"https://index.example/demo-1.0.tar.gz#subdirectory=a&sha256={ONE}",
        f"./wheels/demo-1.0-py3-none-any.whl --hash=sha256:{ONE}",
        f"./wheels/demo-1.0.tar.gz[extra] ; python_version > '3' --hash=sha256:{ONE}",
    ],
)
def test_collects_hashes_of_urls_and_paths(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, line).hashes == {"demo": {ONE}}


def test_takes_the_hashes_of_constraints_for_requirements_without(tmp_path: Path) -> None:
    limits = f"demo==1.0 --hash=sha256:{ONE}\nother==1.0 --hash=sha256:{ONE}\n"
    lines = read(tmp_path, f"demo\nother --hash=sha256:{TWO}\n-c limits.txt\n", limits=limits)
    assert lines.hashes == {"demo": {ONE}, "other": {TWO}}


def test_takes_sha256_of_several_kinds_of_hashes(tmp_path: Path) -> None:
    assert read(tmp_path, f"demo==1 --hash=sha256:{ONE} --hash=sha512:ab").hashes == {"demo": {ONE}}


@pytest.mark.parametrize("line", ["demo==1.0 --hash=md5:ab", "demo @ https://a.example/b#md5=ab"])
def test_refuses_hashes_that_are_not_sha256(tmp_path: Path, line: str) -> None:
    with pytest.raises(
        MalformedError, match=r"requirements\.txt:1: the listed hashes are not sha256"
    ):
        read(tmp_path, line)


def test_refuses_a_hash_for_something_without_a_name(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="a requirement without a name"):
        read(tmp_path, f"https://forge.example/archive/v1.zip#sha256={ONE}")


@pytest.mark.parametrize(
    "text",
    [
        f"demo==1.0 --hash=sha256:{ONE}\nother===2 ; python_version < '3' --hash=sha256:{TWO}\n",
        f"demo @ https://index.example/a.whl --hash=sha256:{ONE}",
        f"--require-hashes\n--index-url {URL}\ndemo==1.0 --hash=sha256:{ONE}\n",
        "",
    ],
)
def test_is_complete_where_everything_is_pinned_with_hashes(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).complete


@pytest.mark.parametrize(
    "line",
    [
        "other==1.0",
        f"other>=1.0 --hash=sha256:{ONE}",
        f"other==1.* --hash=sha256:{ONE}",
        "other @ https://index.example/a.whl",
        "./other",
        "-e ./other",
        "-e git+https://forge.example/other",
    ],
)
def test_is_not_complete_where_something_is_not(tmp_path: Path, line: str) -> None:
    assert not read(tmp_path, f"demo==1.0 --hash=sha256:{ONE}\n{line}\n").complete


def test_keeps_folders_editable(tmp_path: Path) -> None:
    assert read(tmp_path, "-e ./demo\n--editable=./other\n").text == "-e ./demo\n-e ./other\n"


def test_keeps_quotes_of_an_editable_marker(tmp_path: Path) -> None:
    line = "-e ../cli ; python_full_version < '3.14'"
    assert read(tmp_path, f"{line}\n").text == f"{line}\n"


def test_takes_editable_commits_as_they_are(tmp_path: Path) -> None:
    line = "git+https://forge.example/demo@abc#egg=demo"
    assert read(tmp_path, f"-e {line}").text == f"{line}\n"


@pytest.mark.parametrize(
    "line", ["--no-index", "--no-binary demo", "--only-binary :all:", f"--extra-index-url {URL}"]
)
def test_hands_options_on(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, line).text == f"{line}\n"


@pytest.mark.parametrize("line", [f"-i {URL}", f"--index-url={URL}", f"--pypi-url {URL}"])
def test_spells_the_index_as_uv_does(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, line).text == f"--index-url {URL}\n"


def test_tells_the_indexes_and_their_logins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    url = "https://me:${TOKEN}@index.example/simple"
    lines = read(tmp_path, f"--index-url {url}\n--extra-index-url {URL}\n")
    assert lines.indexes == (
        Index(url="https://me:s3cret@index.example/simple", default=True),
        Index(url=URL),
    )


@pytest.mark.parametrize("line", ["-f wheels", "--find-links=wheels", "--find-links ./wheels"])
def test_finds_folders_of_wheels_beside_the_file(tmp_path: Path, line: str) -> None:
    (tmp_path / "wheels").mkdir()
    assert read(tmp_path, line).text == f"--find-links {(tmp_path / 'wheels').resolve()}\n"


def test_hands_other_places_of_wheels_on(tmp_path: Path) -> None:
    assert read(tmp_path, f"-f {URL}").text == f"--find-links {URL}\n"


@pytest.mark.parametrize("folder", ["gone", "gone/x", "a" * 5000])
def test_names_a_folder_of_wheels_that_is_not_there(tmp_path: Path, folder: str) -> None:
    with pytest.raises(UsageError, match=f"requirements.txt:1: --find-links {folder} does not"):
        read(tmp_path, f"-f {folder}")


def test_tells_that_prereleases_are_asked_for(tmp_path: Path) -> None:
    assert read(tmp_path, "--pre\ndemo").prereleases
    assert not read(tmp_path, "demo").prereleases


@pytest.mark.parametrize(
    "line", ["--prefer-binary", "--trusted-host index.example", "--use-feature=fast-deps"]
)
def test_passes_over_options_without_effect_here(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, f"{line}\ndemo").text == "demo\n"


def test_names_an_unknown_option(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match=r"requirements\.txt:2: unknown option --bogus"):
        read(tmp_path, "demo\n--bogus\n")


@pytest.mark.parametrize("option", ["--config-settings a=b", "--global-option=x"])
def test_refuses_build_options_of_a_single_requirement(tmp_path: Path, option: str) -> None:
    with pytest.raises(UsageError, match="for a single requirement is not supported"):
        read(tmp_path, f"demo==1.0 {option}")


@pytest.mark.parametrize("line", ["demo=>1", "demo bar", "demo[", "demo==1 ; python > 3", "-r 'a"])
def test_names_file_and_line_of_what_is_malformed(tmp_path: Path, line: str) -> None:
    with pytest.raises(MalformedError, match=r"^more\.txt:2: "):
        read(tmp_path, "-r more.txt", more=f"demo\n{line}\n")


def test_refuses_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"d\xe9mo\n")
    with pytest.raises(MalformedError, match="not UTF-8"):
        read_lines(tmp_path / "requirements.txt")
