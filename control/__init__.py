"""The control plane: admin API, registry, credentials, publishing. Owns Postgres."""
