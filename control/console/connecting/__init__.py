"""How each client is told of a gateway: where it is configured, and by which way of authenticating."""
