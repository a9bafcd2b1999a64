"""Records of calls: from the stream into Postgres, once each, kept for a number of days."""
