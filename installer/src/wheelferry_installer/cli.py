"""The command group `bundle`: finds commands when they are asked for, and reports errors once.

The installer's commands are in `commands`; the bundler's are found through the entry points
`wheelferry.commands`, where the bundler is installed. Nothing else joins the two.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
import traceback
from typing import Any, NoReturn

import click

from wheelferry_installer.commands.printing import PROGRAM, report, tell
from wheelferry_installer.system import signals
from wheelferry_installer.system.shared_libraries import unfit_host
from wheelferry_schemas.errors import TransferError, UsageError, WheelferryError

COMPLETE = "_BUNDLE_COMPLETE"
"""The variable by which a shell asks what may follow."""
_ALLOCATIONS = 100_000
"""Objects that come to be before garbage is looked for; Python's own figure is 700."""
_OWN = {
    "diff": "Show what a newer bundle changes.",
    "install": "Install a bundle, without any network.",
    "prune": "Remove former environments.",
    "rollback": "Put the environment from before the last change back.",
    "show": "Show what is in a bundle, and who signed it.",
    "status": "Show what is installed, and whether it is intact.",
    "target": "Describe this host, for 'bundle create --target'.",
    "trust": "Say who may sign bundles for this host.",
    "uninstall": "Remove what was installed.",
    "unpack": "Unpack a bundle's wheels for pip, uv or an internal index.",
    "verify": "Check a bundle: signatures and every hash.",
}
_BUNDLERS = {
    "bootstrap": "Write the installer as one file, for hosts without it.",
    "create": "Make a bundle from a lock.",
    "init": "Add settings to a project.",
    "key": "Make a key to sign bundles with.",
    "settings": "Show what a project's settings say.",
    "sign": "Add your signature to a bundle.",
}
_ENTRY_POINTS = "wheelferry.commands"
_NO_ARGUMENTS: type[click.UsageError] | tuple[()] = getattr(
    click.exceptions, "NoArgsIsHelpError", ()
)
"""What newer versions of click raise to show the help of a group."""
_EPILOG = """\b
On a host with internet, in a project:
  bundle init                     (once)
  bundle create
On the air-gapped host:
  bundle trust add alice.pub      (once)
  bundle install bundle.tar.zst
"""


class _Commands(click.Group):
    """Loads a command's module only when that command runs: `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted({*_OWN, *_BUNDLERS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name in _OWN:
            module = importlib.import_module(f"wheelferry_installer.commands.{cmd_name}")
            command: click.Command = getattr(module, cmd_name)
            return command
        return _load_entry_point(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, known = args[0], self.list_commands(ctx)
        if name in known or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        import difflib

        near = difflib.get_close_matches(name, known, n=1)
        meant = f". Did you mean '{near[0]}'?" if near else ""
        raise click.UsageError(f"no such command {name!r}{meant}", ctx)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except BrokenPipeError:
            raise _reader_left() from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _reader_left() from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        for title, commands in (("Air-gapped host", _OWN), ("Online host", _BUNDLERS)):
            with formatter.section(title):
                formatter.write_dl(sorted(commands.items()))


def _reader_left() -> click.exceptions.Exit:
    """Return the quiet end of a command whose output nobody reads any more: `| head` had enough.

    Click itself would exit with 1, without a word.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return click.exceptions.Exit(0)


def _load_entry_point(name: str) -> click.Command | None:
    from importlib.metadata import entry_points

    for entry in entry_points(group=_ENTRY_POINTS, name=name):
        command: click.Command = entry.load()
        return command
    if name in _BUNDLERS:
        raise UsageError(
            f"'bundle {name}' belongs to the online side, which is not installed here",
            hint="run it on the online host, where wheelferry_bundler is installed as well",
        )
    return None


@click.group(
    cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("-v", "--verbose", is_flag=True, help="Show where an error came from.")
@click.version_option(package_name="wheelferry-installer", prog_name="wheelferry")
def bundle(verbose: bool) -> None:
    """Carry a locked Python environment across an air gap.

    The online host makes a bundle: one signed file with exactly the wheels that the far side needs.
    The air-gapped host verifies it and installs it, without any network.
    """
    del verbose


def main(program: str = PROGRAM) -> None:
    """Run the command line; every failure is one `error:`, its details and one `hint:`.

    `program` is how a person starts it again.
    """
    try:
        # What is loaded at the start is no garbage: looking through it again and again, and at the
        # end once more, takes a seventh of a short command's time.
        gc.set_threshold(_ALLOCATIONS)
        atexit.register(gc.freeze)
        signals.raise_on_term()
        code = bundle.main(prog_name=program, complete_var=COMPLETE, standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        terminated = isinstance(error.__cause__ or error, signals.Terminated)
        stopped = WheelferryError(
            "stopped; nothing was changed", hint="to go on, run the same command again"
        )
        _fail(stopped, 143 if terminated else 130, program)
    except click.ClickException as error:
        if isinstance(error, _NO_ARGUMENTS):
            error.show()
            sys.exit(error.exit_code)
        context = getattr(error, "ctx", None)
        command = context.command_path if context else program
        hint = f"see: {command} --help"
        _fail(UsageError(_as_message(error), hint=hint), error.exit_code, program)
    except WheelferryError as error:
        _fail(error, error.exit_code, program)
    except OSError as error:
        _fail(TransferError.of_system(error), TransferError.exit_code, program)
    except Exception as error:  # noqa: BLE001 - the operator gets advice, not a traceback
        unfit = unfit_host(error) if isinstance(error, ImportError) else None
        bug = unfit or WheelferryError(
            f"wheelferry itself failed: {type(error).__name__}: {error}",
            hint="this is a mistake in wheelferry: please report it with what 'bundle -v' prints",
        )
        bug.__cause__ = error
        _fail(bug, bug.exit_code, program)
    sys.exit(code if isinstance(code, int) else 0)


def _as_message(error: click.ClickException) -> str:
    """Return what click says in the form of our own messages: no capital, no full stop."""
    text = error.format_message().strip().removesuffix(".")
    return text[:1].lower() + text[1:]


def _fail(error: WheelferryError, exit_code: int, program: str) -> NoReturn:
    report(error, program)
    if "-v" in sys.argv or "--verbose" in sys.argv:
        tell(*"".join(traceback.format_exception(error)).splitlines())
    sys.exit(exit_code)
