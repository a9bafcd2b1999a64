"""The registry on the command line: every command is a call of the admin API, as any client would make it."""
