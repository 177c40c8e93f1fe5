"""`bundle verify`: everything that `bundle install` checks, without installing."""

from __future__ import annotations

from pathlib import Path

import click

from wheelferry_installer import api
from wheelferry_installer.commands.bundle_options import (
    Trust,
    bundle_argument,
    json_option,
    quiet_option,
    show_startup,
    signers_json,
    startup_json,
    trust_options,
    verified,
)
from wheelferry_installer.commands.printing import say, say_json
from wheelferry_schemas.display import count, human_size


@click.command()
@bundle_argument
@trust_options
@json_option
@quiet_option
def verify(
    bundle: Path,
    trust: Trust,
    as_json: bool,
    quiet: bool,
) -> None:
    """Check who signed BUNDLE, and that every byte in it is what they signed."""
    from wheelferry_installer.commands.progress_bar import bar

    with verified(bundle, trust) as checked:
        total = sum(member.size for member in checked.members)
        with bar("verifying", total, shown=not quiet) as advance:
            startup = api.check_contents(checked, on_progress=advance)
    manifest, size = checked.manifest, bundle.stat().st_size
    if as_json:
        say_json(
            {
                "bundle": str(bundle),
                "name": manifest.name,
                "created": manifest.created,
                "manifest_sha256": checked.sha256,
                "signers": signers_json(checked.signers),
                "members": len(checked.members),
                "size": size,
                "startup": startup_json(startup),
                "in_unsigned_program": checked.is_in_program,
            }
        )
    elif not quiet:
        for signer in checked.signers:
            if signer.problem is None:
                say(f"signed by {signer.name or '?'} {signer.fingerprint}")
        wheels = count(len(manifest.packages), "wheel")
        what = f"the bundle in {bundle.name}" if checked.is_in_program else bundle.name
        say(f"{what} is intact: {wheels} in a file of {human_size(size)}")
        if checked.is_in_program:
            say(
                "the program around it is NOT SIGNED: before you run it, compare the file's "
                "sha256sum with that of the original"
            )
        show_startup(startup)
