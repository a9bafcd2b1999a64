"""Going out: the one guarded HTTP client, the addresses and names it may reach, the grammar of headers."""
