"""Files that install themselves: what their first stage does, and how they are written."""

import ast
import os
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.making.bundles import host_target, make_bundle, make_key
from support.making.self_contained import HERE, TOOL, payload, run, write
from support.making.wheels import make_wheel
from support.running.pythons import old_pythons
from support.running.users import STRANGER, make_shared, needs_two_users
from wheelferry_bundler.carry import first_stage as first_stage_module
from wheelferry_bundler.carry.installer_files import CarriedInstaller, HostSet
from wheelferry_bundler.carry.self_contained_writer import first_stage, write_self_contained
from wheelferry_bundler.sign.countersigning import add_signatures
from wheelferry_bundler.write.existing_bundle import read_manifest
from wheelferry_installer.verify.archive_reader import open_bundle
from wheelferry_schemas.bundle.self_contained import BUNDLE
from wheelferry_schemas.errors import TransferError, UnfitError, UsageError

FIRST_STAGE = Path(__file__).parents[3] / "bundler/src/wheelferry_bundler/carry/first_stage.py"
SYNTAX_SINCE_2_7 = (
    *(ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.AsyncFunctionDef),
    *(ast.Nonlocal, ast.YieldFrom, ast.Starred),
)
NEWER = "hint: run it with a newer one; the Python to install for may be another: pass --python\n"
OLD_PYTHONS = old_pythons()


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where files are unpacked in this test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def changed(path: Path, name: str) -> Path:
    """Change one bit in the middle of a file in the archive, and its checksum with it."""
    with zipfile.ZipFile(path) as archive:
        contents = {info.filename: archive.read(info) for info in archive.infolist()}
    data = bytearray(contents[name])
    data[len(data) // 2] ^= 1
    contents[name] = bytes(data)
    with zipfile.ZipFile(path, "w") as archive:
        for other, content in contents.items():
            archive.writestr(other, content)
    return path


def test_runs_the_installer_that_it_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pyz", payload("print(path)"))
    assert run(path).out == f"{path}\n"


def test_runs_as_a_program(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pyz", payload())
    assert path.stat().st_mode & stat.S_IXUSR
    path_of_python = Path(sys.executable).parent
    ran = subprocess.run(
        [path], env={"PATH": os.fspath(path_of_python)}, capture_output=True, check=True
    )
    assert ran.stdout == b"ran\n"


def test_runs_under_a_path_with_spaces_from_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    path = write(folder / "a.pyz", payload("print(path)"))
    ran = subprocess.run(
        [sys.executable, "a folder/a.pyz"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"{path}\n"


def test_refuses_a_changed_installer_before_it_runs(tmp_path: Path) -> None:
    path = changed(write(tmp_path / "a.pyz", payload()), TOOL)
    ran = run(path, code=4)
    assert ran.out == ""
    assert ran.err == (f"error: this file was damaged or tampered with, do not use it: {TOOL}\n")


def test_refuses_a_change_in_what_another_host_would_run(tmp_path: Path) -> None:
    mine = payload()
    both = CarriedInstaller(files={**mine.files, "installer/other.zip": b"other"}, sets=mine.sets)
    path = changed(write(tmp_path / "a.pyz", both), "installer/other.zip")
    assert "installer/other.zip" in run(path, code=4).err


def test_refuses_a_file_that_was_cut_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pyz", payload())
    with zipfile.ZipFile(path) as archive:
        stage = archive.read("__main__.py")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__main__.py", stage)
    assert "damaged or tampered with" in run(path, code=4).err


def test_says_which_hosts_it_runs_on_where_this_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pyz", payload(python="3.99", platform="win_arm64"))
    ran = run(path, code=5)
    assert ran.out == ""
    assert "error: this runs with Python 3.99 on win_arm64; here is Python " + HERE in ran.err
    assert "hint: run it with one of those" in ran.err


def test_does_not_run_on_an_older_libc_than_it_needs(tmp_path: Path) -> None:
    assert (
        run(write(tmp_path / "a.pyz", payload(platform="manylinux_2_99_x86_64")), code=5).out == ""
    )


def test_does_not_run_on_another_processor(tmp_path: Path) -> None:
    assert run(write(tmp_path / "a.pyz", payload(platform="manylinux_2_5_vax")), code=5).out == ""


@pytest.mark.parametrize(
    ("host", "tag", "runs"),
    [
        (("manylinux", 2, 28, "x86_64"), "manylinux_2_28_x86_64", True),
        (("manylinux", 2, 28, "x86_64"), "manylinux_2_5_x86_64", True),
        (("manylinux", 2, 28, "x86_64"), "manylinux_2_29_x86_64", False),
        (("manylinux", 2, 28, "aarch64"), "manylinux_2_17_x86_64", False),
        (("manylinux", 2, 28, "x86_64"), "musllinux_1_1_x86_64", False),
        (("musllinux", 1, 2, "x86_64"), "musllinux_1_1_x86_64", True),
        (("musllinux", 1, 2, "x86_64"), "manylinux_2_17_x86_64", False),
        (("macosx", 14, 2, "arm64"), "macosx_11_0_arm64", True),
        (("macosx", 14, 2, "arm64"), "macosx_10_12_universal2", True),
        (("macosx", 14, 2, "x86_64"), "macosx_11_0_arm64", False),
        (("macosx", 14, 2, "arm64"), "macosx_15_0_arm64", False),
        (("win", "amd64"), "win_amd64", True),
        (("win32",), "win32", True),
        (("win", "amd64"), "win_arm64", False),
    ],
)
def test_host_runs_what_is_made_for_it_or_an_older_one(
    host: tuple[object, ...], tag: str, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_stage_module, "host", lambda: host)
    assert first_stage_module.runs_here(tag) is runs


def test_says_in_one_line_that_python_is_too_old(tmp_path: Path) -> None:
    stage = first_stage(payload()).decode()
    path = tmp_path / "__main__.py"
    path.write_text(stage.replace("OLDEST = (3, 10)", "OLDEST = (9, 0)"), encoding="utf-8")
    here = ".".join(map(str, sys.version_info[:3]))
    assert run(path, code=5).err == (
        f"error: this needs Python 3.10 or newer to run, and was started with {here}\n{NEWER}"
    )


def test_old_pythons_say_that_they_are_too_old(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pyz", payload())
    for python in OLD_PYTHONS:
        ran = subprocess.run([python, path], capture_output=True, text=True, check=False)
        assert ran.returncode == 5
        error, _, hint = ran.stderr.partition("\n")
        assert error.startswith("error: this needs Python 3.10 or newer to run, and was started ")
        assert hint == NEWER


def test_first_stage_is_something_that_old_pythons_can_read() -> None:
    text = FIRST_STAGE.read_text(encoding="ascii")
    nodes = list(ast.walk(ast.parse(text, feature_version=(3, 4))))
    assert [node for node in nodes if isinstance(node, SYNTAX_SINCE_2_7)] == []
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    assert functions
    assert not any(function.returns or function.args.kwonlyargs for function in functions)
    assert not any(node.annotation for node in nodes if isinstance(node, ast.arg))
    assert not any(node.cause for node in nodes if isinstance(node, ast.Raise))


def test_first_stage_has_fewer_than_190_lines() -> None:
    assert len(FIRST_STAGE.read_text(encoding="utf-8").splitlines()) < 190


def test_ends_without_traceback_where_it_is_interrupted_at_once(tmp_path: Path) -> None:
    stage = first_stage(payload()).decode()
    path = tmp_path / "__main__.py"
    begin = '    """Run the installer in the file at `path`."""\n'
    assert begin in stage
    path.write_text(stage.replace(begin, begin + "    raise KeyboardInterrupt\n"), encoding="utf-8")
    assert run(path, code=130).err.startswith("error: stopped; nothing was changed\nhint: ")


def test_first_stage_needs_the_standard_library_alone() -> None:
    tree = ast.parse(FIRST_STAGE.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    names = {alias.name.partition(".")[0] for node in imports for alias in node.names}
    assert names <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))


def test_installer_is_unpacked_where_nobody_else_can_read(tmp_path: Path, temporary: Path) -> None:
    code = "import os, sys\nprint(oct(os.stat(sys.path[0]).st_mode & 0o777), os.path.dirname(sys.path[0]))"
    path = write(tmp_path / "a.pyz", payload(code))
    assert run(path, env={"TMPDIR": os.fspath(temporary)}).out == f"0o700 {temporary}\n"


@pytest.fixture
def _obeys_hang_ups() -> Iterator[None]:
    """Let programs end by SIGHUP also where this one was started with nohup."""
    former = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, former)


@pytest.mark.usefixtures("_obeys_hang_ups")
@pytest.mark.parametrize(
    ("code", "ends_with"),
    [
        ("print('ran')", 0),
        ("raise SystemExit(3)", 3),
        ("raise ValueError", 1),
        ("raise KeyboardInterrupt", 130),
        ("import os, signal; os.kill(os.getpid(), signal.SIGHUP)", 128 + signal.SIGHUP),
    ],
)
def test_nothing_stays_behind(code: str, ends_with: int, tmp_path: Path, temporary: Path) -> None:
    path = write(tmp_path / "a.pyz", payload(code))
    run(path, env={"TMPDIR": os.fspath(temporary)}, code=ends_with)
    assert list(temporary.iterdir()) == []


def test_a_worker_process_does_not_remove_what_the_others_need(
    tmp_path: Path, temporary: Path
) -> None:
    code = "import os, sys\nif os.fork() == 0: sys.exit()\nos.wait()\nprint(os.listdir(sys.path[0]) != [])"
    path = write(tmp_path / "a.pyz", payload(code))
    assert run(path, env={"TMPDIR": os.fspath(temporary)}).out == "True\n"


def test_packages_of_the_host_are_out_of_reach(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pyz", payload("import pytest"))
    ran = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert "No module named 'pytest'" in ran.stderr


def test_says_what_to_do_where_compiled_modules_do_not_load(
    tmp_path: Path, temporary: Path
) -> None:
    broken = {"_cffi_backend.py": b"raise ImportError('failed to map segment')"}
    path = write(tmp_path / "a.pyz", payload(more=broken))
    ran = run(path, env={"TMPDIR": os.fspath(temporary)}, code=7)
    assert ran.err == (
        "error: the installer cannot be started: failed to map segment\n"
        f"hint: where {temporary} forbids programs, set TMPDIR to another folder\n"
    )


def test_bundle_is_read_in_place(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")])
    path = write(tmp_path / "a.pyz", payload(), bundle)
    opened = open_bundle(path)
    opened.archive.close()
    assert b'"pure"' in opened.head.manifest.content


def test_stock_tools_take_the_bundle_out(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")])
    path = write(tmp_path / "a.pyz", payload(), bundle)
    ran = subprocess.run(["unzip", "-p", path, BUNDLE], capture_output=True, check=True)
    assert ran.stdout == bundle.read_bytes()


def test_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")])
    files = [write(tmp_path / name, payload(), bundle).read_bytes() for name in ("a", "b")]
    assert files[0] == files[1]


def test_tells_the_hash_that_the_file_has(tmp_path: Path) -> None:
    written = write_self_contained(tmp_path / "a.pyz", payload())
    ran = subprocess.run(["sha256sum", written.path], capture_output=True, text=True, check=True)
    assert ran.stdout.split()[0] == written.sha256
    assert written.size == written.path.stat().st_size


def test_refuses_to_write_what_old_pythons_cannot_run(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar.zst"
    with bundle.open("wb") as file:
        file.truncate(2**32)
    with pytest.raises(UnfitError, match="at most 4 GiB"):
        write(tmp_path / "a.pyz", payload(), bundle)


def test_leaves_nothing_behind_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(TransferError):
        write(tmp_path / "absent" / "a.pyz", payload())
    assert list(tmp_path.iterdir()) == []


def test_installer_for_this_python_needs_no_other(tmp_path: Path) -> None:
    other = payload("print('other')", python="3.99")
    mine = payload()
    files = {TOOL: mine.files[TOOL], "installer/other.zip": other.files[TOOL]}
    sets = (
        HostSet(python="3.99", platform="win32", files=("installer/other.zip",)),
        *mine.sets,
    )
    assert run(write(tmp_path / "a.pyz", CarriedInstaller(files=files, sets=sets))).out == "ran\n"


def test_is_not_signed_as_a_whole(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")])
    path = write(tmp_path / "a.pyz", payload(), bundle)
    with pytest.raises(UsageError, match="not a bundle"):
        add_signatures(path, [make_key()])


def test_targets_of_a_bundle_are_in_its_manifest(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle.tar.zst", [make_wheel("pure")])
    assert read_manifest(bundle).targets == (host_target(),)


# What runs leave that were stopped in their first instants.


def leave(folder: Path, name: str, *, age: int = 3600) -> Path:
    """Make a folder as a run does that was killed before it could remove it."""
    left = folder / name
    (left / "wheelferry_installer").mkdir(parents=True)
    then = time.time() - age
    os.utime(left, (then, then))
    return left


def test_folder_of_a_run_that_was_killed_is_removed_by_the_next(tmp_path: Path) -> None:
    left = leave(tmp_path, "wheelferry-abcdefgh.run")
    first_stage_module.remove_left(str(tmp_path))
    assert not left.exists()


def test_folder_of_a_run_that_goes_on_stays(tmp_path: Path) -> None:
    left = leave(tmp_path, "wheelferry-abcdefgh.run")
    script = (
        f"import sys; sys.path[:0] = [{str(FIRST_STAGE.parent)!r}]; import first_stage; "
        f"print(first_stage.hold({str(left)!r}), flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "True\n"
        first_stage_module.remove_left(str(tmp_path))
        assert left.exists()
        running.communicate("\n")
    first_stage_module.remove_left(str(tmp_path))
    assert not left.exists()


def test_folder_that_was_made_just_now_stays(tmp_path: Path) -> None:
    left = leave(tmp_path, "wheelferry-abcdefgh.run", age=0)
    first_stage_module.remove_left(str(tmp_path))
    assert left.exists()


@pytest.mark.parametrize("name", ["wheelferry-notes", "other.run"])
def test_what_no_run_has_made_stays(tmp_path: Path, name: str) -> None:
    left = leave(tmp_path, name)
    first_stage_module.remove_left(str(tmp_path))
    assert left.exists()


def test_link_and_what_it_leads_to_stay(tmp_path: Path) -> None:
    victim = leave(tmp_path, "victim")
    (tmp_path / "wheelferry-abcdefgh.run").symlink_to("victim")
    os.utime(tmp_path / "wheelferry-abcdefgh.run", (1, 1), follow_symlinks=False)
    first_stage_module.remove_left(str(tmp_path))
    assert (victim / "wheelferry_installer").exists()
    assert (tmp_path / "wheelferry-abcdefgh.run").is_symlink()


@needs_two_users
def test_folder_of_another_user_stays(tmp_path: Path) -> None:
    left = leave(make_shared(tmp_path / "shared"), "wheelferry-abcdefgh.run")
    os.chown(left, STRANGER, STRANGER)
    first_stage_module.remove_left(str(tmp_path / "shared"))
    assert left.exists()
