"""The command line and the composition of the planes into running processes."""
