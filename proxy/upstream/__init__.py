"""The far side: eras, sessions, the conversation of one call, breakers."""
