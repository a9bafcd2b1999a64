"""Calls that are decided once: what the stages found for one head and tool, kept while all of it stands."""
