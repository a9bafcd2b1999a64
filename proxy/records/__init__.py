"""Call records on their way to control."""
