"""Identity providers: their metadata and keys, what they say of people, and who that is here."""
