"""`archway doctor`: what is wrong with a setting, a port, a key or a server, and its cure."""
