"""The installer's subcommands; each module holds the command of its name."""
