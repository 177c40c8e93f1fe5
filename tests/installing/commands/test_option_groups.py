import click
from click.testing import CliRunner

from wheelferry_installer import cli
from wheelferry_installer.commands.option_groups import GroupedCommand, grouped

_DOZEN = 12


@click.command(cls=GroupedCommand)
@click.argument("what", required=False)
@click.option("--later")
@grouped("Colours", click.option("--red", is_flag=True), click.option("--blue", is_flag=True))
@click.option("--other")
def paint(**_: object) -> None:
    """Paint."""


def _help(command: click.Command) -> str:
    return CliRunner().invoke(command, ["--help"]).output


def test_options_stand_under_their_title_in_the_order_of_declaration() -> None:
    assert "\nColours:\n  --red\n  --blue\n\nOther options:\n" in _help(paint)


def test_options_without_a_title_come_last() -> None:
    rest = _help(paint).partition("Other options:")[2]
    assert [word for word in rest.split() if word.startswith("--")] == [
        "--later",
        "--other",
        "--help",
    ]


def test_commands_with_many_options_group_them() -> None:
    context = click.Context(cli.bundle)
    for name in cli.bundle.list_commands(context):
        command = cli.bundle.get_command(context, name)
        assert command is not None
        options = [p for p in command.params if isinstance(p, click.Option)]
        if len(options) > _DOZEN:
            said = _help(command)
            assert "\nOutput:\n" in said, name
            assert all(option.opts[-1] in said for option in options)
