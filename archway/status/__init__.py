"""`archway status`: what runs, and how each installation is."""
