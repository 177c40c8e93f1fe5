"""`bundle bootstrap`: writes the installer as one file, for hosts that have only Python."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from wheelferry_bundler.commands.create_options import check_output, target_options
from wheelferry_bundler.commands.printing import say, say_command
from wheelferry_schemas.display import human_size

_EPILOG = """\b
Examples:
  bundle bootstrap --platform manylinux_2_28_x86_64 --python 3.12
  bundle bootstrap --platform win_amd64 --python 3.12 --python 3.13 -o tools/wheelferry.pyz
  bundle bootstrap --bundle bundle.tar.zst      (one that several people signed)
On the air-gapped host:
  python3 wheelferry.pyz install bundle.tar.zst
"""


@click.command(epilog=_EPILOG, short_help="Write the installer as one file (online host).")
@target_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: wheelferry.pyz, or bundle.pyz with --bundle]",
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Include this bundle, for the hosts that it is made for: the file installs it.",
)
@click.option("--force", is_flag=True, help="Overwrite the output file.")
@click.option(
    "--find-links",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Look in this folder of wheels before fetching anything.",
)
@click.option(
    "--index-url",
    "index_urls",
    multiple=True,
    metavar="URL",
    help="Take the wheels from this index or mirror.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def bootstrap(
    platforms: tuple[str, ...],
    pythons: tuple[str, ...],
    target_files: tuple[Path, ...],
    output: Path | None,
    bundle: Path | None,
    force: bool,
    find_links: tuple[Path, ...],
    index_urls: tuple[str, ...],
    quiet: bool,
) -> None:
    """Write the installer and its dependencies as one file that Python runs.

    The file runs on the given platforms with the given Pythons, 3.10 or newer. It can install for
    another Python than the one that runs it.
    """
    from wheelferry_bundler import api
    from wheelferry_bundler.commands.phase_bar import PhaseBar

    output = output or Path("bundle.pyz" if bundle else "wheelferry.pyz")
    of_bundle = bundle is not None and not (platforms or pythons or target_files)
    targets = () if of_bundle else api.make_targets(platforms, pythons, target_files)
    check_output(output, force=force)
    options = api.CarryOptions(bundle=bundle, find_links=find_links, index_urls=index_urls)
    with PhaseBar(shown=not quiet) as bar:
        written = api.pack_installer(output, targets, options, on_progress=bar)
    if quiet:
        return
    for one in written.sets:
        say(f"runs with Python {one.python} on {one.platform}")
    say(f"{output}: {human_size(written.size)}")
    say(f"sha256 {written.sha256}: compare it on the air-gapped host before you run the file")
    command = "" if bundle else " install bundle.tar.zst"
    say_command("on the air-gapped host", f"python3 {shlex.quote(output.name)}{command}")
