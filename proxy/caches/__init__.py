"""What the worker remembers of control's answers, in memory, in Redis and on disk."""
