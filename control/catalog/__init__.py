"""Well-known hosted servers, one file each: what an entry for them says, and what is left to do by hand."""
