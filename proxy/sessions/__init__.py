"""Sessions of legacy clients, and letters between workers about them."""
