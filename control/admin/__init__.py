"""The admin API under /api/v1: one file per resource, one for each concern that they share."""
