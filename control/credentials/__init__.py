"""Which credential a call gets, and what stands in the connection that carries it."""
