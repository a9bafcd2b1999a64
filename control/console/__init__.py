"""The console: pages for people, made on the server, over `control/changes` and the stores."""
