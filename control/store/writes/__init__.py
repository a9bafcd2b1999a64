"""SQL that changes rows of the registry. Only `control/changes/` calls it."""
