"""What a client brings to the token endpoint: one file for each kind of grant."""
