"""How a worker lets callers in and out: accepting, readiness, draining, file descriptors."""
