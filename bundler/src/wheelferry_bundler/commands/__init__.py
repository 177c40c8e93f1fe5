"""The bundler's subcommands of `bundle`, found through the entry points `wheelferry.commands`."""
