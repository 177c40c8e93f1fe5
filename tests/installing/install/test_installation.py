import os
import stat
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from support.making import zips
from support.making.archives import plain_frames
from support.making.bundles import make_bundle
from support.making.wheels import TinyWheel, make_wheel
from support.running.command import tree
from support.running.installations import (
    ALICE,
    SITE_PACKAGES,
    install,
    install_wheels,
    record,
    run,
    run_python,
    spelled_hash,
    this_interpreter,
)
from wheelferry_installer.environment.receipts import read_receipt
from wheelferry_installer.system import disk
from wheelferry_installer.wheel import verified_wheel

PYTHON = f"python3.{sys.version_info.minor}"
TOOL = make_wheel(
    "tool",
    files={"tool.py": b"import sys\ndef main():\n    print('tool runs with', sys.prefix)\n"},
    entry_points="[console_scripts]\ntool = tool:main\n[gui_scripts]\ntool-gui = tool:main\n",
)
DATA_FILES = {
    "rich.py": b"",
    "rich-1.0.data/scripts/rich-script": b"#!python\nimport sys\nprint('script in', sys.prefix)\n",
    "rich-1.0.data/scripts/rich-shell": b"#!/bin/sh\necho shell\n",
    "rich-1.0.data/data/share/man/man1/rich.1": b"manual",
    "rich-1.0.data/headers/rich.h": b"#define RICH 1\n",
    "rich-1.0.data/headers/sub/more.h": b"#define MORE 1\n",
    "rich-1.0.data/purelib/rich_pure.py": b"",
    "rich-1.0.data/platlib/rich_plat.py": b"",
}
RICH = make_wheel("rich", files=DATA_FILES)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return tmp_path / "env"


# What is where, and does it run.


def test_packages_can_be_imported(environment: Path) -> None:
    install_wheels(environment, [make_wheel("one"), make_wheel("two", "2.0")])
    assert run_python(environment, "import one, two; print(one.NAME, two.NAME)") == "one two\n"


def test_python_finds_metadata(environment: Path) -> None:
    install_wheels(environment, [make_wheel("one"), make_wheel("two", "2.0")])
    code = "import importlib.metadata as m; print(m.version('one'), m.version('two'))"
    assert run_python(environment, code) == "1.0 2.0\n"


def test_entry_points_run(environment: Path) -> None:
    install_wheels(environment, [TOOL])
    for name in ("tool", "tool-gui"):
        assert run(environment / "bin" / name) == f"tool runs with {environment}\n"


def test_scripts_run(environment: Path) -> None:
    install_wheels(environment, [RICH])
    assert run(environment / "bin/rich-script") == f"script in {environment}\n"
    assert run(environment / "bin/rich-shell") == "shell\n"


def test_data_goes_where_it_belongs(environment: Path) -> None:
    install_wheels(environment, [RICH])
    for path, source in {
        "share/man/man1/rich.1": "data/share/man/man1/rich.1",
        f"include/site/{PYTHON}/rich/rich.h": "headers/rich.h",
        f"include/site/{PYTHON}/rich/sub/more.h": "headers/sub/more.h",
        f"{SITE_PACKAGES}/rich_pure.py": "purelib/rich_pure.py",
        f"{SITE_PACKAGES}/rich_plat.py": "platlib/rich_plat.py",
        "bin/rich-shell": "scripts/rich-shell",
    }.items():
        assert (environment / path).read_bytes() == DATA_FILES[f"rich-1.0.data/{source}"]
    assert not list(environment.rglob("*.data"))


def test_namespace_packages_share_their_folder(environment: Path) -> None:
    parts = [make_wheel(f"ns-{n}", files={f"ns/{n}.py": f"X = '{n}'\n".encode()}) for n in "ab"]
    install_wheels(environment, parts)
    assert run_python(environment, "import ns.a, ns.b; print(ns.a.X + ns.b.X)") == "ab\n"


def test_compiled_packages_are_found_too(environment: Path) -> None:
    platform = next(iter(this_interpreter().tags))
    install_wheels(environment, [make_wheel("fast", tag=platform, pure=False)])
    assert run_python(environment, "import fast; print(fast.NAME)") == "fast\n"


@pytest.mark.parametrize(
    ("module", "limit"), [(verified_wheel, "STREAMED_FROM"), (disk, "IN_MEMORY")]
)
def test_large_files_and_wheels_do_not_go_through_memory(
    environment: Path, monkeypatch: pytest.MonkeyPatch, module: Any, limit: str
) -> None:
    monkeypatch.setattr(module, limit, 100)
    content = bytes(range(256)) * 9000
    files = {"big.bin": content, "big.py": b"", "big-1.0.data/scripts/big": b"#!python\n" * 100}
    install_wheels(environment, [make_wheel("big", files=files)])
    assert (environment / SITE_PACKAGES / "big.bin").read_bytes() == content
    listed = record(environment, "big-1.0.dist-info")
    for path, (digest, _) in listed.items():
        assert digest in {"", spelled_hash(path)}


def test_only_what_is_executable_in_the_wheel_is_so_on_disk(environment: Path) -> None:
    wheel = make_wheel("one", files={"one.py": b"", "helper": b"#!/bin/sh\n", "exact": b""})
    modes = {"helper": 0o100755, "exact": 0o100600}
    data = zips.with_mode(wheel.data, modes)
    install_wheels(environment, [TinyWheel(file_name=wheel.file_name, data=data)])
    found = {
        name: stat.S_IMODE((environment / SITE_PACKAGES / name).stat().st_mode)
        for name in ("one.py", "helper", "exact")
    }
    umask = os.umask(0)
    os.umask(umask)
    plain, executable = 0o666 & ~umask, 0o777 & ~umask
    assert found == {"one.py": plain, "helper": executable, "exact": plain}


def test_compiled_files_in_a_wheel_are_left_out(environment: Path) -> None:
    files = {"one.py": b"", "__pycache__/one.cpython-311.pyc": b"evil"}
    install_wheels(environment, [make_wheel("one", files=files)])
    assert not list((environment / SITE_PACKAGES).rglob("*.pyc"))
    assert not [p for p in record(environment, "one-1.0.dist-info") if p.suffix == ".pyc"]


def test_bundle_without_wheels_gives_an_empty_environment(environment: Path) -> None:
    install_wheels(environment, [])
    assert list((environment / SITE_PACKAGES).iterdir()) == []


# RECORD and what installers add to .dist-info.


@pytest.mark.parametrize("wheel", [RICH, TOOL], ids=["rich", "tool"])
def test_record_lists_every_file_with_its_hash_and_size(
    environment: Path, wheel: TinyWheel
) -> None:
    install_wheels(environment, [])
    empty = {environment / path for path in tree(environment)}
    install_wheels(environment, [wheel])
    name = wheel.file_name.split("-")[0]
    listed = record(environment, f"{name}-1.0.dist-info")
    installed = {
        environment / path
        for path, (kind, _, _) in tree(environment).items()
        if kind == "file" and not path.startswith("wheelferry/")
    }
    assert set(listed) == installed - empty
    own = environment / SITE_PACKAGES / f"{name}-1.0.dist-info" / "RECORD"
    assert listed.pop(own) == ("", "")
    for path, row in listed.items():
        assert row == (spelled_hash(path), str(path.stat().st_size))


def test_installer_is_named(environment: Path) -> None:
    install_wheels(environment, [make_wheel("one")])
    path = environment / SITE_PACKAGES / "one-1.0.dist-info" / "INSTALLER"
    assert path.read_text() == "wheelferry\n"


def test_only_what_was_asked_for_is_marked_as_requested(environment: Path) -> None:
    install_wheels(environment, [make_wheel("one"), make_wheel("two")], roots=["one"])
    marked = {path.parent.name for path in environment.rglob("REQUESTED")}
    assert marked == {"one-1.0.dist-info"}


def test_what_a_wheel_says_of_its_installer_does_not_count(environment: Path) -> None:
    files = {"one.py": b"", "one-1.0.dist-info/INSTALLER": b"pip\n"}
    install_wheels(environment, [make_wheel("one", files=files)])
    path = environment / SITE_PACKAGES / "one-1.0.dist-info" / "INSTALLER"
    assert path.read_text() == "wheelferry\n"


# Paths: the environment is built elsewhere, but nothing in it says so.


def test_nothing_in_it_names_the_place_where_it_was_built(environment: Path) -> None:
    install_wheels(environment, [TOOL, RICH], compile_bytecode=True)
    for path, (_, _, content) in tree(environment).items():
        assert b"staging" not in content, path
        assert b"env.wheelferry" not in content, path


def test_activation_leads_to_the_final_place(environment: Path) -> None:
    install_wheels(environment, [])
    code = f". {environment}/bin/activate; echo $VIRTUAL_ENV; command -v python"
    assert run("/bin/sh", "-c", code) == f"{environment}\n{environment}/bin/python\n"


def test_environment_does_not_depend_on_that_of_the_tool(environment: Path) -> None:
    install_wheels(environment, [])
    prefix = run_python(environment, "import sys; print(sys.base_prefix)").strip()
    assert prefix == sys.base_prefix
    assert sys.prefix not in (environment / "pyvenv.cfg").read_text()
    assert not os.readlink(environment / "bin" / PYTHON).startswith(sys.prefix)


def test_prompt_is_the_projects_name_where_the_folder_says_nothing(tmp_path: Path) -> None:
    install_wheels(tmp_path / ".venv", [])
    assert "demo" in (tmp_path / ".venv/pyvenv.cfg").read_text()


@pytest.mark.parametrize(
    "name", ["with space", "x" * 120 + "/" + "y" * 120, "quote's", "žluťoučký", "a$b`c"]
)
def test_scripts_run_from_odd_places(tmp_path: Path, name: str) -> None:
    environment = tmp_path / name
    install_wheels(environment, [TOOL, RICH])
    assert run(environment / "bin/tool") == f"tool runs with {environment}\n"
    assert run(environment / "bin/rich-script") == f"script in {environment}\n"


@pytest.mark.parametrize("sync", [True, False])
def test_syncing_or_not_gives_the_same(environment: Path, sync: bool) -> None:
    install_wheels(environment, [make_wheel("one")], sync=sync)
    assert run_python(environment, "import one; print(one.NAME)") == "one\n"


# Compiling.


def test_does_not_compile_unless_asked_to(environment: Path) -> None:
    install_wheels(environment, [make_wheel("one")])
    assert not list(environment.rglob("*.pyc"))


def test_compiled_modules_name_their_final_place(environment: Path) -> None:
    files = {
        "one/__init__.py": b"def f():\n    raise ValueError\n",
        "one/broken.py": b"this is no Python\n",
    }
    install_wheels(environment, [make_wheel("one", files=files)], compile_bytecode=True)
    cached = environment / SITE_PACKAGES / "one" / "__pycache__"
    assert [path.name for path in cached.iterdir()] == [
        f"__init__.{sys.implementation.cache_tag}.pyc"
    ]
    code = (
        "import marshal, pathlib; "
        f"data = pathlib.Path({str(next(cached.iterdir()))!r}).read_bytes()[16:]; "
        "print(marshal.loads(data).co_filename)"
    )
    expected = environment / SITE_PACKAGES / "one/__init__.py"
    assert run_python(environment, code) == f"{expected}\n"


def test_python_takes_the_compiled_modules_as_they_are(environment: Path) -> None:
    install_wheels(environment, [make_wheel("one")], compile_bytecode=True)
    (pyc,) = environment.rglob("one.*.pyc")
    before = pyc.stat().st_mtime_ns, pyc.stat().st_ino
    run_python(environment, "import one")
    assert (pyc.stat().st_mtime_ns, pyc.stat().st_ino) == before


# The receipt, and doing it again.


def test_receipt_says_what_was_installed_and_on_whose_word(environment: Path) -> None:
    done = install_wheels(environment, [make_wheel("one"), make_wheel("two", "2.0")])
    written = read_receipt(environment)
    assert written == done.receipt
    assert done.changed
    assert [(p.name, p.version, p.wheel) for p in written.packages] == [
        ("one", "1.0", "one-1.0-py3-none-any.whl"),
        ("two", "2.0", "two-2.0-py3-none-any.whl"),
    ]
    assert written.signers == (f"alice {ALICE.public.fingerprint}",)
    assert written.bundle == "env.tar.zst"
    assert not written.compiled
    folder = environment / "wheelferry"
    frames = plain_frames((environment.parent / "env.tar.zst").read_bytes())
    assert frames[0][512:].startswith((folder / "manifest.json").read_bytes())
    assert frames[1][512:].startswith((folder / "signatures/1.sig").read_bytes())


def test_second_time_changes_nothing(environment: Path) -> None:
    install_wheels(environment, [make_wheel("one")])
    before = {path: path.lstat().st_mtime_ns for path in environment.rglob("*")}
    done = install(environment.parent / "env.tar.zst", environment)
    assert not done.changed
    assert {path: path.lstat().st_mtime_ns for path in environment.rglob("*")} == before


def test_other_bundle_replaces_everything(environment: Path) -> None:
    install_wheels(environment, [make_wheel("one"), make_wheel("gone")])
    install_wheels(environment, [make_wheel("one", "2.0")])
    found = {path.name for path in (environment / SITE_PACKAGES).iterdir()}
    assert found == {"one.py", "one-2.0.dist-info"}


def test_tells_of_every_member_when_it_is_done(environment: Path) -> None:
    told: dict[str, int] = {}
    wheels = [make_wheel("one"), make_wheel("two")]
    install_wheels(environment, wheels, on_progress=told.__setitem__)
    assert told == {
        "requirements.txt": len(b"# tests\n"),
        **{f"wheels/{wheel.file_name}": wheel.size for wheel in wheels},
    }


def test_name_of_the_bundle_may_be_any_bytes(environment: Path) -> None:
    bundle = environment.parent / os.fsdecode(b"b\xffndle\x1b.tar.zst")
    make_bundle(bundle, [make_wheel("one")], keys=[ALICE])
    assert install(bundle, environment).receipt.bundle == "b\\udcffndle\\x1b.tar.zst"


def test_this_python_is_the_one_that_tests_assume() -> None:
    assert sysconfig.get_path("purelib", "posix_prefix", {"base": "/x"}) == f"/x/{SITE_PACKAGES}"
