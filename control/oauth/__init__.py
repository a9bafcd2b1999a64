"""The OAuth 2.1 authorization server: one file for each endpoint, the authorize request as a list of checks."""
