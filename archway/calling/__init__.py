"""`archway tools` and `archway call`: a gateway as a client sees it, from the command line."""
