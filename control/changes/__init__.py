"""Changes of the registry: each with its lock, rules, SQL, audit record and announcement, and without HTTP."""
