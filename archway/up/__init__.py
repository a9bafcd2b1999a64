"""One command that runs everything on this machine: database, Redis, control, proxy and a demo server."""
