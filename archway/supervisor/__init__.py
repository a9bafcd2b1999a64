"""The process above the proxy's workers: binds the ports once, keeps the workers alive, adds up their counts."""
