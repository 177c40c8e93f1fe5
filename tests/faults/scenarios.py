"""What is done to an environment while something fails, and what may be found afterwards."""

from __future__ import annotations

import json
import os
import shutil
import venv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from faults.client import NO_FAULT, Fault, Traced, Tracer
from support.making.bundles import host_target, make_bundle, make_key, trust
from support.making.python_archives import described, few_files_tar, write
from support.making.wheels import TinyWheel, make_wheel
from support.running.command import tree

Tree = Mapping[str, tuple[str, int, bytes]]
_BUNDLED_PYTHON = "--bundled-python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A folder in which bundles are and an environment is installed, the same for every run."""

    tracer: Tracer
    folder: Path
    place: str

    @property
    def work(self) -> Path:
        """The folder that holds the environment alone, and what lies beside it."""
        return self.folder / "work"

    @property
    def state(self) -> Path:
        """The folder of what is remembered outside of environments; the tracer names it."""
        return self.folder / "state"

    def run(
        self, command: tuple[str, ...], fault: Fault = NO_FAULT, refuse: tuple[str, ...] = ()
    ) -> Traced:
        """Run a subcommand of `bundle` in the work folder.

        `settle` is what each of those that change something does first.
        """
        ran = self.tracer.run(("bundle", *command), self.work, fault, refuse)
        assert "Traceback" not in ran.err, ran.err
        return ran

    def save(self, name: str) -> None:
        """Keep the work folder as it is under a name, and what wheelferry remembers besides."""
        shutil.copytree(self.work, self.folder / name, symlinks=True)
        if self.state.exists():
            shutil.copytree(self.state, self.folder / f"{name}-state", dirs_exist_ok=True)

    def restore(self, name: str) -> None:
        """Bring the work folder back as it was when it was kept."""
        shutil.rmtree(self.work)
        shutil.copytree(self.folder / name, self.work, symlinks=True)
        shutil.rmtree(self.state, ignore_errors=True)
        if (self.folder / f"{name}-state").exists():
            shutil.copytree(self.folder / f"{name}-state", self.state)

    def environment(self) -> Tree:
        """Return the environment, without what differs from run to run."""
        return _comparable(tree(self.work / "env"))

    def beside(self) -> dict[str, Tree]:
        """Return what the control folder holds besides the lock, by name."""
        inside = self.place != "--venv"
        control = self.work / ("env/.wheelferry" if inside else "env.wheelferry")
        names = os.listdir(control) if control.exists() else []
        ignored = {"lock", ".gitignore"} | ({"target"} if inside else set())
        return {
            name: {} if inside else _comparable(tree(control / name))
            for name in names
            if name not in ignored and not name.startswith("python3.")
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A command, and what has to be done before it. `refuse` names calls that the kernel lacks.

    With `begun`, the command is one that follows a crash: `begun` was killed right before its last
    call whose name and path contain `killed_at`.
    """

    name: str
    place: str
    before: tuple[tuple[str, ...], ...]
    command: tuple[str, ...]
    refuse: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    killed_at: str = ""

    def prepare(self, tracer: Tracer, folder: Path) -> Prepared:
        """Make a site and run the command once, undisturbed."""
        site = Site(tracer=tracer, folder=folder, place=self.place)
        _make_site(site, brings_python=_BUNDLED_PYTHON in self.command)
        for command in self.before:
            ran = site.run(command)
            assert ran.code == 0, ran.err
        old, beside_old = site.environment(), site.beside()
        site.save("before")
        ran = site.run(self.begun or self.command, refuse=self.refuse)
        new, beside_new = site.environment(), site.beside()
        assert old != new, ran.err
        site.restore("before")
        if self.begun:
            name, _, path = self.killed_at.partition(" ")
            numbered = enumerate(ran.calls, start=1)
            at = max(n for n, call in numbered if call.startswith(f"{name} ") and path in call)
            site.run(self.begun, Fault(at=at, do="kill"), self.refuse)
            shutil.rmtree(folder / "before")
            site.save("before")
            ran = site.run(self.command, refuse=self.refuse)
        return Prepared(
            scenario=self,
            site=site,
            calls=ran.calls,
            code=ran.code,
            ends=((old, beside_old), (new, beside_new)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A scenario that is ready to be disturbed; `ends` are the old and the new state.

    `calls` and `code` are those of the command when nothing disturbs it.
    """

    scenario: Scenario
    site: Site
    calls: list[str]
    code: int
    ends: tuple[tuple[Tree, dict[str, Tree]], tuple[Tree, dict[str, Tree]]]

    def disturb(self, fault: Fault) -> str:
        """Run the command with a fault, and the next command; returns 'old' or 'new'.

        Raises `AssertionError` where it is neither, or where the exit code does not say so.
        """
        site = self.site
        site.restore("before")
        ran = site.run(self.scenario.command, fault, self.scenario.refuse)
        assert ran.hit, "the call was never made"
        killed = fault.do in ("kill", "orphan")
        if not (killed or fault.on or self.scenario.begun):
            # Nobody has tidied up yet: the command itself has to have done so.
            expected = {"TERM": 143, "INT": 130}.get(fault.do, 7)
            assert ran.code in (0, expected), f"exit code {ran.code}: {ran.err}"
            state = self.state()
            assert state == ("new" if ran.code == 0 else "old"), f"{state}, exit code {ran.code}"
        elif fault.on:
            assert ran.code in (0, 7, self.code), f"exit code {ran.code}: {ran.err}"
        settled = site.run(("settle", self.scenario.place, "env"))
        state = self.state()
        assert state in ("old", "new"), f"{state} after the next command: {settled.err}"
        return state

    def state(self) -> str:
        found, beside = self.site.environment(), self.site.beside()
        for name, (environment, others) in zip(("old", "new"), self.ends, strict=True):
            if found == environment and beside == others:
                return name
        (old, _), (new, _) = self.ends
        mixed = [path for path in found if found[path] not in (old.get(path), new.get(path))]
        strange = sorted(beside)
        return f"neither old nor new: {mixed[:5]} {len(found)} files, beside it {strange}"


def _make_site(site: Site, *, brings_python: bool) -> None:
    site.work.mkdir(parents=True)
    key = make_key()
    trust(site.folder / "allowed_signers", key)
    pythons = []
    if brings_python:
        archive = write(site.folder / "python.tar.gz", few_files_tar())
        pythons = [described(archive, host_target().id)]
    for version in ("1", "2"):
        path = site.folder / f"{version}.tar.zst"
        make_bundle(path, _wheels(version), keys=[key], pythons=pythons)
    if site.place == "--into":
        venv.create(site.work / "env", symlinks=True)
    elif site.place == "--target":
        (site.work / "env").mkdir()


def _wheels(version: str) -> list[TinyWheel]:
    """Return wheels of which one stays, one changes its files, and one comes or goes."""
    other = "1" if version == "2" else "2"
    changing = make_wheel(
        "changing",
        version,
        files={
            "changing/__init__.py": f"VERSION = {version}\n".encode(),
            f"changing/only{version}/__init__.py": b"",
            # What is a file in one version is a folder in the other.
            f"changing/file{version}": b"file",
            f"changing/file{other}/inside.py": b"",
        },
        entry_points="[console_scripts]\nchanging = changing:main\n",
    )
    return [make_wheel("staying"), changing, make_wheel(f"only{version}")]


def _comparable(found: Tree) -> Tree:
    """Leave out what no two runs have in common: id and time of a receipt, transactions."""
    comparable = {}
    for path, (kind, mode, content) in found.items():
        parts = path.split("/")
        if parts[0] == ".wheelferry" and not (
            len(parts) > 1 and parts[1].startswith(("python3.", "target"))
        ):
            continue
        kept = content
        if path.endswith("receipt.json"):
            receipt = json.loads(content)
            same = {"generation": "", "installed": "", "written_ns": 0}
            kept = json.dumps({**receipt, **same}).encode()
        comparable[path] = (kind, mode, kept)
    return comparable


def _make_scenarios() -> dict[str, Scenario]:
    made = []
    for mode, place in (("managed", "--venv"), ("into", "--into"), ("target", "--target")):
        options = (place, "env", "-q", "--allowed-signers", "../allowed_signers")
        old, new = (("install", f"../{version}.tar.zst", *options) for version in "12")
        rollback, uninstall = (("rollback", place, "env"), ("uninstall", place, "env"))
        commands = (
            ("install", (), old),
            ("upgrade", (old,), new),
            ("rollback", (old, new), rollback),
            ("rollback of a rollback", (old, new, rollback), rollback),
            ("uninstall", (old, new), uninstall),
        )
        made += [
            Scenario(name=f"{mode}: {name}", place=place, before=before, command=command)
            for name, before, command in commands
        ]
        settle = ("settle", place, "env")
        made += [
            Scenario(
                name=f"{mode}: recovery from {name} killed at {killed_at}",
                place=place,
                before=before,
                command=settle,
                begun=command,
                killed_at=killed_at,
            )
            for name, before, command in commands
            for killed_at in _CRASHES.get((mode, name), ())
        ]
        if mode == "managed":
            made += [
                replace(scenario, name=f"{scenario.name} without exchange", refuse=("renameat2",))
                for scenario in made
                if scenario.begun == ()
            ]
            made.append(
                Scenario(
                    name="managed: install with the Python of the bundle",
                    place=place,
                    before=(),
                    command=(*old, _BUNDLED_PYTHON),
                )
            )
            made.append(
                Scenario(
                    name="managed: recovery from upgrade without exchange",
                    place=place,
                    before=(old,),
                    command=settle,
                    begun=new,
                    killed_at="rename env.wheelferry/staging",
                    refuse=("renameat2",),
                )
            )
    return {scenario.name: scenario for scenario in made}


_CRASHES = {
    ("managed", "install"): ("fsync work",),
    ("managed", "upgrade"): ("renameat2", "fsync work", "unlink journal.json"),
    ("managed", "rollback"): ("renameat2", "fsync work"),
    ("managed", "uninstall"): ("fsync work",),
    ("into", "upgrade"): ("rename applying/new", "rename env/lib", "rename committed"),
    ("into", "rollback"): ("rename undoing/old", "fsync .wheelferry"),
    ("into", "rollback of a rollback"): ("rename redoing/new",),
    ("into", "uninstall"): ("rename committed",),
}
"""Calls right before which a command was killed, for another to recover from that."""
SCENARIOS = _make_scenarios()
