"""What a proxy asks control on a cold key, and what it remembers of the answers."""
