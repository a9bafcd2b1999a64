"""Rows to signed snapshots, and the change stream that tells proxies of them."""
