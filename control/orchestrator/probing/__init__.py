"""Probes of egress in a cluster: whether what an environment denies is denied, and what it allows is allowed."""
