"""The listener for people and OAuth clients: what its parts stand on, and what stands before them."""
