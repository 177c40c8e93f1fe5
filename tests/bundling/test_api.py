"""The public API of the online side: what programs call, without a command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.making.bundles import host_target, make_key
from support.making.projects import compiled, make_project
from support.making.wheels import make_wheel
from support.running.command import bundle, succeed, tree
from support.running.index import LocalIndex
from support.running.threads import handlers, in_a_thread
from wheelferry_bundler import api
from wheelferry_bundler.carry import installer_files

CREATED = 1_700_000_000


class Recorded:
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.amount = 0

    def step(self, phase: str, total: int | None, noun: str | None = None, /) -> None:
        del total, noun
        self.phases.append(phase)

    def advance(self, item: str, amount: int, /) -> None:
        del item
        self.amount += amount


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Path:
    return make_project(tmp_path / "project", index, [(make_wheel("pure"), None)])


@pytest.fixture
def incomplete(tmp_path: Path, index: LocalIndex) -> api.BundlePlan:
    wheels = [(wheel, None) for wheel in compiled("native", "1.0", "win_amd64")]
    folder = make_project(tmp_path / "incomplete", index, wheels)
    targets = api.make_targets(["manylinux_2_28_x86_64"], ["3.12"])
    return api.plan(api.find_source(folder), targets)


def planned(project: Path, options: api.CreateOptions = api.CreateOptions()) -> api.BundlePlan:
    return api.plan(api.find_source(project), api.make_targets(), options)


def protected(path: Path) -> Path:
    command = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "s3cret", "-C", "alice", "-f", path)
    subprocess.run(command, check=True)
    return path


def test_all_that_is_public_is_there() -> None:
    assert [name for name in api.__all__ if not hasattr(api, name)] == []


def test_another_name_is_not_there() -> None:
    assert not hasattr(api, "Cache")


def test_loads_nothing_of_the_command_line() -> None:
    program = (
        "import sys; from wheelferry_bundler.api import create; "
        "print({'click', 'requests', 'cryptography', 'zstandard', 'tqdm'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "set()\n"


def test_creates_and_signs_in_a_thread(
    project: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output, before = tmp_path / "made.tar.zst", handlers()
    second = make_key("bob")
    progress = Recorded()

    def work() -> api.Manifest:
        source = api.find_source(project)
        plan = api.plan(source, api.make_targets(), on_progress=progress)
        created = api.create(plan, output, signers=[api.own_key()], on_progress=progress)
        assert created.path == output
        assert created.size == output.stat().st_size
        return api.sign(output, [second])

    manifest = in_a_thread(work)
    assert sorted(package.name for package in manifest.packages) == ["demo", "pure"]
    assert progress.phases == ["fetching", "building", "writing"]
    assert progress.amount > 0
    assert handlers() == before
    assert capfd.readouterr() == ("", "")
    report = succeed("verify", output, "--json", cwd=tmp_path).data
    assert len(report["signers"]) == 2


def test_says_when_it_was_made_and_until_when_it_counts(project: Path, tmp_path: Path) -> None:
    plan = planned(project, api.CreateOptions(name="App.One", expires=CREATED + 60))
    created = api.create(plan, tmp_path / "a", signers=[make_key()], created=CREATED)
    assert created.manifest.name == "app-one"
    assert created.manifest.created == "2023-11-14T22:13:20Z"
    assert created.manifest.expires == "2023-11-14T22:14:20Z"


def test_selects_as_the_flags_of_the_command_do(tmp_path: Path, index: LocalIndex) -> None:
    tools = [(make_wheel("tool"), None)]
    folder = make_project(tmp_path / "project", index, [(make_wheel("pure"), None)], dev=tools)
    plan = planned(folder, api.CreateOptions(no_groups=("dev",), no_install_project=True))
    [selection] = plan.selections
    assert [chosen.package.name for chosen in selection.chosen] == ["pure"]
    assert plan.made_from.options == ("--no-group dev", "--no-install-project")


def test_unsigned_is_said_by_name(project: Path, tmp_path: Path) -> None:
    output = tmp_path / "made.tar.zst"
    created = api.create(planned(project), output, signers=api.UNSIGNED)
    assert created.signers == ()
    assert bundle("verify", output, cwd=tmp_path).code == 3


def test_no_signers_is_no_way_to_say_unsigned(project: Path, tmp_path: Path) -> None:
    with pytest.raises(api.UsageError, match="no key to sign with"):
        api.create(planned(project), tmp_path / "made.tar.zst", signers=[])
    assert not (tmp_path / "made.tar.zst").exists()


def test_what_is_missing_is_told_as_values(incomplete: api.BundlePlan) -> None:
    [problem] = api.problems_of(incomplete)
    assert (problem.kind, problem.name, problem.version) == ("no-wheel", "native", "1.0")
    assert problem.target == "cp312-manylinux_2_28_x86_64"
    with pytest.raises(api.UnfitError, match=r"native 1\.0 has no wheel"):
        api.check_complete(incomplete)


def test_a_plan_that_lacks_something_leaves_the_output_as_it_was(
    incomplete: api.BundlePlan, tmp_path: Path
) -> None:
    output = tmp_path / "made.tar.zst"
    output.write_bytes(b"before")
    with pytest.raises(api.UnfitError):
        api.create(incomplete, output, signers=[make_key()])
    assert output.read_bytes() == b"before"


def test_own_key_is_made_when_it_first_signs(
    project: Path, tmp_path: Path, config_folder: Path
) -> None:
    made: list[api.Signer] = []
    key = api.own_key(on_made=made.append)
    assert not api.own_key_path().exists()
    api.create(planned(project), tmp_path / "a", signers=[key])
    assert made[0].public == key.public
    assert len(made) == 1
    assert api.own_key_path().parent == config_folder
    assert api.own_key().public == key.public
    succeed("verify", "a", cwd=tmp_path)


def test_failed_run_makes_no_key(incomplete: api.BundlePlan, tmp_path: Path) -> None:
    with pytest.raises(api.UnfitError):
        api.create(incomplete, tmp_path / "a", signers=[api.own_key()])
    assert not api.own_key_path().exists()


def test_a_passphrase_is_asked_of_the_program(tmp_path: Path) -> None:
    path = protected(tmp_path / "key")
    assert api.open_key(path, passphrase=lambda _path: "s3cret").name == "alice"
    with pytest.raises(api.UsageError, match="has a passphrase"):
        api.open_key(path)


def test_a_new_key_is_no_other_than_the_one_in_its_file(tmp_path: Path) -> None:
    key = api.new_key(tmp_path / "key")
    assert api.open_key(tmp_path / "key").public == key.public
    with pytest.raises(api.ConflictError):
        api.new_key(tmp_path / "key")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"only_groups": ("a",), "all_extras": True}, "--only-group excludes"),
        ({"packages": ("a",), "all_packages": True}, "exclude each other"),
        ({"name": "no name"}, "cannot name a bundle"),
    ],
)
def test_options_that_exclude_each_other_are_refused_at_once(
    options: dict[str, object], said: str
) -> None:
    with pytest.raises(api.UsageError, match=said):
        api.CreateOptions(**options)  # type: ignore[arg-type] # the table has all kinds


@pytest.mark.parametrize(
    ("created", "expires", "said"),
    [
        (CREATED, CREATED, "expire before it is made"),
        (CREATED, 2**40, "not a time that a bundle can state"),
        (-1, None, "not a time that a bundle can state"),
    ],
)
def test_times_that_no_bundle_can_have_are_refused(
    created: int, expires: int | None, said: str, project: Path, tmp_path: Path
) -> None:
    plan = planned(project, api.CreateOptions(expires=expires))
    with pytest.raises(api.UsageError, match=said):
        api.create(plan, tmp_path / "a", signers=[make_key()], created=created)


def test_without_a_target_nothing_is_planned(project: Path) -> None:
    with pytest.raises(api.UsageError, match="no target"):
        api.plan(api.find_source(project), ())


def test_what_the_system_says_is_an_error_of_ours(project: Path, tmp_path: Path) -> None:
    lost = tmp_path / "nowhere" / "made.tar.zst"
    with pytest.raises(api.TransferError):
        api.create(planned(project), lost, signers=[make_key()])
    with pytest.raises(api.UsageError):
        api.find_source(tmp_path / "nowhere")
    with pytest.raises(api.UsageError):
        api.open_key(tmp_path / "nowhere")
    with pytest.raises(api.TransferError):
        api.make_targets(files=[tmp_path / "nowhere"])
    with pytest.raises(api.TransferError):
        api.sign(lost, [make_key()])


def test_a_pipe_that_the_program_itself_writes_to_is_its_own_affair(
    project: Path, tmp_path: Path
) -> None:
    class Broken(Recorded):
        def step(self, phase: str, total: int | None, noun: str | None = None, /) -> None:
            raise BrokenPipeError(f"{phase} {total} {noun}")

    with pytest.raises(BrokenPipeError):
        api.create(planned(project), tmp_path / "a", signers=[make_key()], on_progress=Broken())
    assert not (tmp_path / "a").exists()


def test_what_is_no_bundle_is_not_signed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(100))
    with pytest.raises(api.TamperedError):
        api.sign(tmp_path / "a", [make_key()])
    with pytest.raises(api.UsageError, match="no key to sign with"):
        api.sign(tmp_path / "a", [])


@pytest.fixture
def small_installer(index: LocalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the installer need one small wheel, which the index has."""
    abi, platform = host_target().abis[0], host_target().platforms[0]
    wheel = make_wheel("fast", tag=f"{abi}-{abi}-{platform}", pure=False)
    index.add(wheel)
    (tmp_path / "lock.txt").write_text(f"fast==1.0 --hash=sha256:{wheel.sha256}\n", "utf-8")
    monkeypatch.setattr(installer_files, "_LOCK", tmp_path / "lock.txt")


@pytest.mark.usefixtures("small_installer")
def test_a_self_contained_file_holds_the_bundle_and_the_installer(
    project: Path, tmp_path: Path, index: LocalIndex
) -> None:
    plan = planned(project, api.CreateOptions(index_urls=(index.simple_url,)))
    progress = Recorded()
    created = api.create(
        plan, tmp_path / "a.pyz", signers=[make_key()], self_contained=True, on_progress=progress
    )
    assert created.path == tmp_path / "a.pyz"
    assert created.size == created.path.stat().st_size
    assert created.sha256 is not None
    assert progress.phases[:2] == ["fetching", "packing"]
    assert progress.phases[-2:] == ["writing", "wrapping"]


@pytest.mark.usefixtures("small_installer")
def test_a_failure_leaves_nothing_beside_a_self_contained_file(
    project: Path, tmp_path: Path, index: LocalIndex
) -> None:
    plan = planned(project, api.CreateOptions(index_urls=(index.simple_url,)))
    folder = tmp_path / "output"
    folder.mkdir()
    (folder / "a.pyz").write_bytes(b"before")
    before = tree(folder)

    class Refuses:
        public, name = make_key().public, "refuses"

        def sign(self, message: bytes, /) -> bytes:
            raise api.UsageError(f"no signature over {len(message)} bytes")

    with pytest.raises(api.UsageError, match="no signature"):
        api.create(plan, folder / "a.pyz", signers=[Refuses()], self_contained=True)
    assert tree(folder) == before


def test_packs_no_installer_for_no_target(tmp_path: Path) -> None:
    with pytest.raises(api.UsageError, match="no target to pack the installer for"):
        api.pack_installer(tmp_path / "a.pyz", ())
    assert not (tmp_path / "a.pyz").exists()


@pytest.mark.usefixtures("small_installer")
def test_packs_the_installer_for_the_targets_of_a_bundle(
    project: Path, tmp_path: Path, index: LocalIndex
) -> None:
    path = tmp_path / "made.tar.zst"
    api.create(planned(project), path, signers=[make_key()])
    options = api.CarryOptions(bundle=path, index_urls=(index.simple_url,))
    packed = api.pack_installer(tmp_path / "a.pyz", (), options)
    assert packed.size == packed.path.stat().st_size > path.stat().st_size
    assert [one.python for one in packed.sets] == [host_target().markers.python_version]
