"""The lanes: how bytes become a `Head` and a body, and an `Answer` becomes bytes."""
