"""The authorize endpoint: what a client asks for is checked in order, one file for each check."""
