"""`bundle install --into`, `--target` and `--prefix`: beside what somebody else has installed."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.making.wheels import make_wheel
from support.running.command import Ran, tree
from support.running.installations import SITE_PACKAGES, run, run_python
from support.running.other_installers import (
    Install,
    bundle_installer,
    make_environment,
    packages,
    put_by_others,
    times,
)
from wheelferry_installer.environment.distributions import Distribution
from wheelferry_installer.host import places
from wheelferry_installer.plan import merge_plan
from wheelferry_installer.plan.fitting import Fit

TOOL = {"tool.py": b"import sys\ndef main():\n    print(sys.prefix)\n"}
SCRIPT = "[console_scripts]\ntool = tool:main\n"


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    return make_environment(tmp_path / "env")


@pytest.fixture
def install(tmp_path: Path, main: Callable[..., Ran]) -> Install:
    return bundle_installer(tmp_path, main)


def assert_refused(ran: Ran, code: int, *said: str) -> None:
    assert ran.code == code
    for text in said:
        assert text in ran.err


# What comes.


def test_packages_come_beside_those_of_others(environment: Path, install: Install) -> None:
    assert install([make_wheel("ours")], "--into", environment).code == 0
    code = "import ours, theirs; print(ours.NAME, theirs.NAME)"
    assert run_python(environment, code) == "ours theirs\n"


def test_scripts_run_in_the_environment(environment: Path, install: Install) -> None:
    install([make_wheel("tool", files=TOOL, entry_points=SCRIPT)], "--into", environment)
    assert run(environment / "bin/tool") == f"{environment}\n"


def test_environment_may_be_named_by_its_interpreter(environment: Path, install: Install) -> None:
    assert install([make_wheel("ours")], "--into", environment / "bin/python").code == 0
    assert packages(environment) == ["ours-1.0", "theirs-1.0"]


def test_headers_and_data_go_where_others_put_them(environment: Path, install: Install) -> None:
    files = {"x-1.0.data/headers/x.h": b"", "x-1.0.data/data/share/x": b""}
    install([make_wheel("x", files=files)], "--into", environment)
    python = f"python3.{sys.version_info.minor}"
    assert (environment / f"include/site/{python}/x/x.h").exists()
    assert (environment / "share/x").exists()


def test_compiled_modules_name_their_final_place(environment: Path, install: Install) -> None:
    install([make_wheel("ours")], "--into", environment, "--compile")
    code = "import ours; print(ours.__spec__.loader.get_code('ours').co_filename)"
    assert run_python(environment, code) == f"{environment / SITE_PACKAGES}/ours.py\n"


def test_target_is_one_folder_of_modules(tmp_path: Path, install: Install) -> None:
    target = tmp_path / "target"
    install([make_wheel("tool", files=TOOL, entry_points=SCRIPT)], "--target", target)
    names = {name for name in os.listdir(target) if not name.startswith(".")}
    assert names == {"bin", "tool.py", "tool-1.0.dist-info"}


def test_prefix_is_laid_out_as_that_of_an_interpreter(tmp_path: Path, install: Install) -> None:
    prefix = tmp_path / "prefix"
    install([make_wheel("tool", files=TOOL, entry_points=SCRIPT)], "--prefix", prefix)
    assert (prefix / SITE_PACKAGES / "tool.py").exists()
    assert (prefix / "bin/tool").exists()


def test_scripts_elsewhere_start_with_the_python_that_was_named(
    tmp_path: Path, environment: Path, install: Install
) -> None:
    tool = make_wheel("tool", files=TOOL, entry_points=SCRIPT)
    python = environment / "bin/python"
    install([tool], "--target", tmp_path / "target", "--python", python)
    assert (tmp_path / "target/bin/tool").read_text().startswith(f"#!{python}\n")


def test_scripts_elsewhere_do_not_start_with_wheelferrys_own_environment(
    tmp_path: Path, install: Install
) -> None:
    tool = make_wheel("tool", files=TOOL, entry_points=SCRIPT)
    install([tool], "--target", tmp_path / "target")
    assert f"#!{sys.prefix}" not in (tmp_path / "target/bin/tool").read_text()


# What stays, and what goes.


def test_same_version_is_left_alone(environment: Path, install: Install) -> None:
    before = times(environment / SITE_PACKAGES / "theirs-1.0.dist-info")
    ran = install([make_wheel("theirs"), make_wheel("ours")], "--into", environment)
    assert "1 added, 1 unchanged" in ran.out
    assert times(environment / SITE_PACKAGES / "theirs-1.0.dist-info") == before


def test_versions_are_the_same_however_spelled(environment: Path, install: Install) -> None:
    ran = install([make_wheel("theirs", "1.0.0")], "--into", environment)
    assert "1 unchanged" in ran.out


def test_other_version_is_replaced(environment: Path, install: Install) -> None:
    ran = install([make_wheel("theirs", "2.0")], "--into", environment)
    assert "~ theirs 1.0 -> 2.0\n1 changed\n" in ran.out
    assert packages(environment) == ["theirs-2.0"]


def test_folders_that_become_empty_go(environment: Path, install: Install) -> None:
    run_python(environment, "import theirs")
    install([make_wheel("theirs", "2.0")], "--into", environment)
    assert not (environment / SITE_PACKAGES / "theirs").exists()


def test_folders_with_something_of_others_stay(environment: Path, install: Install) -> None:
    (environment / SITE_PACKAGES / "theirs/notes.txt").write_text("mine")
    install([make_wheel("theirs", "2.0")], "--into", environment)
    assert os.listdir(environment / SITE_PACKAGES / "theirs") == ["notes.txt"]


def test_what_a_metadata_folder_holds_besides_goes_with_it(
    environment: Path, install: Install
) -> None:
    (environment / SITE_PACKAGES / "theirs-1.0.dist-info/unlisted").write_text("")
    install([make_wheel("theirs", "2.0")], "--into", environment)
    assert packages(environment) == ["theirs-2.0"]


def test_file_becomes_a_folder_and_back(environment: Path, install: Install) -> None:
    for version, path in (("1.0", "a/b"), ("2.0", "a/b/c.py"), ("3.0", "a/b")):
        wheel = make_wheel("x", version, files={path: version.encode()})
        assert install([wheel], "--into", environment, "--keep", "0").code == 0
        assert (environment / SITE_PACKAGES / path).read_text() == version


def test_editable_installation_is_replaced(environment: Path, install: Install) -> None:
    url = json.dumps({"url": "file:///project", "dir_info": {"editable": True}}).encode()
    put_by_others(environment, "x", {"x.pth": b"", "x-1.0.dist-info/direct_url.json": url})
    ran = install([make_wheel("x")], "--into", environment)
    assert "~ x 1.0 (same version)\n1 changed, 1 unchanged\n" in ran.out
    assert not (environment / SITE_PACKAGES / "x.pth").exists()


def test_reinstall_puts_back_what_is_missing(environment: Path, install: Install) -> None:
    install([make_wheel("ours")], "--into", environment)
    (environment / SITE_PACKAGES / "ours.py").unlink()
    install([make_wheel("ours")], "--into", environment, "--reinstall")
    assert (environment / SITE_PACKAGES / "ours.py").exists()


def test_same_bundle_again_touches_nothing(environment: Path, install: Install) -> None:
    install([make_wheel("ours")], "--into", environment)
    before = times(environment)
    ran = install([make_wheel("ours")], "--into", environment)
    assert ran.code == 0
    assert "is up to date" in ran.out
    assert times(environment) == before


def test_other_bundle_of_the_same_packages_changes_the_receipt_only(
    environment: Path, install: Install
) -> None:
    install([make_wheel("ours"), make_wheel("second")], "--into", environment)
    before = times(environment / SITE_PACKAGES)
    install([make_wheel("ours")], "--into", environment)
    assert times(environment / SITE_PACKAGES) == before


def test_exact_removes_what_the_bundle_does_not_have(environment: Path, install: Install) -> None:
    ran = install([make_wheel("ours")], "--into", environment, "--exact")
    assert "+ ours 1.0\n- theirs 1.0\n1 added, 1 removed\n" in ran.out
    assert packages(environment) == ["ours-1.0"]


@pytest.mark.parametrize(
    ("python", "staying"), [("3.11", ["pip", "setuptools"]), ("3.12", ["pip"])]
)
def test_exact_leaves_what_environments_are_made_with(
    environment: Path,
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    python: str,
    staying: list[str],
) -> None:
    for name in ("pip", "setuptools"):
        put_by_others(environment, name, {f"{name}.py": b""})
    real = merge_plan._is_surplus

    def as_on(distribution: Distribution, fit: Fit) -> bool:
        markers = {**fit.interpreter.markers, "python_version": python}
        return real(
            distribution, replace(fit, interpreter=replace(fit.interpreter, markers=markers))
        )

    monkeypatch.setattr(merge_plan, "_is_surplus", as_on)
    install([make_wheel("ours")], "--into", environment, "--exact")
    assert packages(environment) == ["ours-1.0", *(f"{name}-1.0" for name in staying)]


def test_exact_does_not_remove_wheelferry_from_under_itself(
    environment: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_by_others(environment, "wheelferry_installer", {"wheelferry_installer.py": b""})
    monkeypatch.setattr(sys, "prefix", str(environment))
    ran = install([make_wheel("ours")], "--into", environment, "--exact")
    assert_refused(ran, 8, "would remove wheelferry itself")


# What is refused, with nothing changed.


def test_edited_files_are_named(environment: Path, install: Install) -> None:
    put_by_others(environment, "x", {"x.py": b"", "y.py": b""})
    for name in ("x.py", "y.py"):
        (environment / SITE_PACKAGES / name).write_text("edited")
    before = tree(environment)
    ran = install([make_wheel("x", "2.0")], "--into", environment)
    assert_refused(ran, 8, f"{SITE_PACKAGES}/x.py was edited", f"{SITE_PACKAGES}/y.py was edited")
    assert tree(environment) == before


def test_edits_are_lost_where_forced(environment: Path, install: Install) -> None:
    (environment / SITE_PACKAGES / "theirs/__init__.py").write_text("edited")
    assert install([make_wheel("theirs", "2.0")], "--into", environment, "--force").code == 0
    assert packages(environment) == ["theirs-2.0"]


def test_edited_record_of_ours_is_noticed(environment: Path, install: Install) -> None:
    install([make_wheel("ours")], "--into", environment)
    record = environment / SITE_PACKAGES / "ours-1.0.dist-info/RECORD"
    record.write_text(record.read_text() + "theirs/__init__.py,,\n")
    ran = install([make_wheel("ours", "2.0")], "--into", environment)
    assert_refused(ran, 8, "RECORD was edited")


def test_file_of_nobody_in_the_way(environment: Path, install: Install) -> None:
    (environment / SITE_PACKAGES / "ours.py").write_text("mine")
    before = tree(environment)
    ran = install([make_wheel("ours")], "--into", environment)
    assert_refused(ran, 8, f"{SITE_PACKAGES}/ours.py already exists")
    assert tree(environment) == before


def test_file_of_nobody_is_replaced_where_forced(environment: Path, install: Install) -> None:
    (environment / SITE_PACKAGES / "ours.py").write_text("mine")
    assert install([make_wheel("ours")], "--into", environment, "--force").code == 0
    assert (environment / SITE_PACKAGES / "ours.py").read_text() == "NAME = 'ours'\n"


def test_file_of_the_same_content_is_a_warning(environment: Path, install: Install) -> None:
    (environment / SITE_PACKAGES / "ours.py").write_text("NAME = 'ours'\n")
    ran = install([make_wheel("ours")], "--into", environment)
    assert ran.code == 0
    assert "ours.py already existed with the same content" in ran.err


def test_compiled_module_of_nobody_is_replaced(environment: Path, install: Install) -> None:
    cache = environment / SITE_PACKAGES / "__pycache__"
    cache.mkdir()
    (cache / f"ours.{sys.implementation.cache_tag}.pyc").write_text("stale")
    assert install([make_wheel("ours")], "--into", environment, "--compile").code == 0
    assert run_python(environment, "import ours; print(ours.NAME)") == "ours\n"


@pytest.mark.parametrize("obstacle", ["ours.py/mine", "ours.py/sub/mine"])
def test_folder_in_the_way_is_not_even_forced(
    environment: Path, install: Install, obstacle: str
) -> None:
    path = environment / SITE_PACKAGES / obstacle
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    ran = install([make_wheel("ours")], "--into", environment, "--force")
    assert_refused(ran, 8, f"{SITE_PACKAGES}/ours.py is a folder")


def test_file_where_a_folder_should_be(environment: Path, install: Install) -> None:
    (environment / SITE_PACKAGES / "ours").write_text("mine")
    ran = install([make_wheel("ours", files={"ours/x.py": b""})], "--into", environment, "--force")
    assert_refused(ran, 8, f"{SITE_PACKAGES}/ours is a file")


def test_link_that_leads_out_of_the_environment_is_not_followed(
    environment: Path, install: Install, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (environment / SITE_PACKAGES / "ours").symlink_to(tmp_path / "outside")
    ran = install([make_wheel("ours", files={"ours/x.py": b""})], "--into", environment, "--force")
    assert_refused(ran, 8, "ours/x.py is outside of")
    assert os.listdir(tmp_path / "outside") == []


@pytest.mark.parametrize("path", ["../../../../outside", "/outside", "linked/x.py"])
def test_nothing_outside_of_the_environment_is_removed(
    environment: Path, install: Install, tmp_path: Path, path: str
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x.py").write_text("")
    (environment / SITE_PACKAGES / "linked").symlink_to(tmp_path / "outside")
    put_by_others(environment, "x", {})
    record = environment / SITE_PACKAGES / "x-1.0.dist-info/RECORD"
    record.write_text(f"{path},,\n")
    ran = install([make_wheel("x", "2.0")], "--into", environment, "--force")
    assert_refused(ran, 8, "is outside of")


def test_link_within_the_environment_is_not_followed(environment: Path, install: Install) -> None:
    (environment / SITE_PACKAGES / "others").mkdir()
    (environment / SITE_PACKAGES / "ours").symlink_to("others")
    ran = install([make_wheel("ours", files={"ours/x.py": b""})], "--into", environment, "--force")
    assert_refused(ran, 8, "ours/x.py leads through a link")


def test_exact_does_not_follow_linked_metadata(
    environment: Path, install: Install, tmp_path: Path
) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim/x.py").write_text("mine")
    (tmp_path / "victim/RECORD").write_text("y.py,,\n")
    (environment / SITE_PACKAGES / "y-1.0.dist-info").symlink_to(tmp_path / "victim")
    ran = install([make_wheel("ours")], "--into", environment, "--exact", "--force")
    assert_refused(ran, 8, "y-1.0.dist-info is a link")
    assert sorted(os.listdir(tmp_path / "victim")) == ["RECORD", "x.py"]


def test_package_that_spells_its_files_through_a_link_is_removed(
    environment: Path, install: Install
) -> None:
    # As on Fedora, where a package's compiled modules come to be below lib64.
    alias = environment / "lib64"
    if not alias.is_symlink():
        alias.symlink_to("lib")
    put_by_others(environment, "x", {"x.py": b""})
    record = environment / SITE_PACKAGES / "x-1.0.dist-info/RECORD"
    through = Path(SITE_PACKAGES).relative_to("lib")
    record.write_text(f"../../../lib64/{through}/x.py,,\nx-1.0.dist-info/RECORD,,\n")
    assert install([make_wheel("ours")], "--into", environment, "--exact").code == 0
    assert not (environment / SITE_PACKAGES / "x.py").exists()
    assert alias.is_symlink()


@pytest.mark.parametrize("metadata", ["x-1.0.dist-info", "x-1.0-py3.11.egg-info", "x.egg-link"])
def test_package_that_does_not_say_what_is_its(
    environment: Path, install: Install, metadata: str
) -> None:
    (environment / SITE_PACKAGES / metadata).mkdir()
    ran = install([make_wheel("x", "2.0")], "--into", environment, "--force")
    assert_refused(ran, 8, "has no RECORD", "remove it with the tool")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("pyvenv.cfg", "would change how the Python"),
        ("bin/pyvenv.cfg", "would change how the Python"),
        ("bin/python", "belongs to the environment itself"),
    ],
)
def test_wheel_does_not_replace_the_environment_itself(
    environment: Path, install: Install, path: str, why: str
) -> None:
    evil = make_wheel("evil", files={f"evil-1.0.data/data/{path}": b"evil"})
    ran = install([evil], "--into", environment, "--force")
    assert_refused(ran, 4, f"{path}' {why}")


def test_wheel_does_not_write_into_the_folder_of_wheelferry(
    tmp_path: Path, install: Install
) -> None:
    evil = make_wheel("evil", files={".wheelferry/lock": b"evil"})
    assert_refused(install([evil], "--target", tmp_path / "target"), 4, "reserved for wheelferry")


def test_older_bundle_is_refused(environment: Path, install: Install) -> None:
    install([make_wheel("ours")], "--into", environment)
    (receipt,) = (environment / ".wheelferry").glob("*/receipt.json")
    text = receipt.read_text()
    receipt.write_text(text.replace('"bundle_created": "2023', '"bundle_created": "2024'))
    ran = install([make_wheel("ours", "2.0")], "--into", environment)
    assert_refused(ran, 6, "--allow-downgrade")
    ran = install([make_wheel("ours", "2.0")], "--into", environment, "--allow-downgrade")
    assert ran.code == 0


def test_bundle_of_another_name_is_refused(environment: Path, install: Install) -> None:
    install([make_wheel("ours")], "--into", environment)
    (receipt,) = (environment / ".wheelferry").glob("*/receipt.json")
    text = receipt.read_text()
    receipt.write_text(text.replace('"bundle_name": "demo"', '"bundle_name": "other"'))
    ran = install([make_wheel("ours", "2.0")], "--into", environment)
    assert_refused(
        ran, 8, f"{environment} belongs to 'other', but bundle.tar.zst is a bundle of 'demo'"
    )
    ran = install([make_wheel("ours", "2.0")], "--into", environment, "--replace")
    assert ran.code == 0


def test_environment_of_wheelferrys_own_is_refused(tmp_path: Path, install: Install) -> None:
    install([make_wheel("ours")], "--venv", tmp_path / "managed")
    ran = install([make_wheel("ours")], "--into", tmp_path / "managed")
    assert_refused(ran, 8, "install into it with --venv")


def test_environment_of_others_is_not_replaced_as_a_whole(
    environment: Path, install: Install
) -> None:
    install([make_wheel("ours")], "--into", environment)
    assert_refused(install([make_wheel("ours")], "--venv", environment), 8, "--into")


def test_python_of_the_operating_system_is_refused(
    environment: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = places._facts
    monkeypatch.setattr(places, "_facts", lambda path: {**real(path), "externally_managed": True})
    ran = install([make_wheel("ours")], "--into", environment)
    assert_refused(ran, 8, "managed by the operating system")


def test_environment_spread_over_several_trees_is_refused(
    environment: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = places._facts
    monkeypatch.setattr(places, "_facts", lambda path: {**real(path), "scripts": "/elsewhere"})
    assert_refused(install([make_wheel("ours")], "--into", environment), 8, "is not below")


def test_folder_without_an_interpreter(tmp_path: Path, install: Install) -> None:
    assert_refused(install([make_wheel("ours")], "--into", tmp_path), 2, "no Python interpreter")


@pytest.mark.parametrize(
    "options",
    [
        ("--into", "env", "--target", "x"),
        ("--venv", "x", "--prefix", "x"),
        ("--into", "env", "--python", "3.12"),
        ("--exact",),
        ("--target", "x", "--keep", "2"),
    ],
)
def test_options_that_do_not_go_together(install: Install, options: tuple[str, ...]) -> None:
    assert install([make_wheel("ours")], *options).code == 2


def test_refused_installation_into_a_new_folder_leaves_none(
    tmp_path: Path, install: Install
) -> None:
    evil = make_wheel("evil", files={".wheelferry/lock": b"evil"})
    assert install([evil], "--target", tmp_path / "target").code == 4
    assert not (tmp_path / "target").exists()


# What is only shown.


def test_dry_run_tells_and_changes_nothing(environment: Path, install: Install) -> None:
    before = tree(environment)
    wheels = [make_wheel("ours"), make_wheel("theirs", "2.0")]
    ran = install(wheels, "--into", environment, "--dry-run")
    assert "+ ours 1.0\n~ theirs 1.0 -> 2.0\n1 added, 1 changed\nwould install" in ran.out
    assert tree(environment) == before


def test_dry_run_names_what_stands_against_it(environment: Path, install: Install) -> None:
    (environment / SITE_PACKAGES / "theirs/__init__.py").write_text("edited")
    ran = install([make_wheel("theirs", "2.0")], "--into", environment, "--dry-run")
    assert_refused(ran, 8, "theirs/__init__.py was edited")


def test_json_tells_what_came_and_went(environment: Path, install: Install) -> None:
    ran = install([make_wheel("ours")], "--into", environment, "--exact", "--json")
    assert ran.data["changed"] is True
    assert ran.data["installed"] == ["ours"]
    assert ran.data["removed"] == ["theirs"]
