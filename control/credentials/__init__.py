"""Which credential a call gets, and what a request carries of it."""
