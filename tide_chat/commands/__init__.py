"""One module a command, each with a click command named `command`. Imported only when that command is used."""
