"""The internal listener: the questions of proxies (resolve calls)."""
