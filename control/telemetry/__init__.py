"""What control tells Prometheus: the names, the counts, and their text."""
