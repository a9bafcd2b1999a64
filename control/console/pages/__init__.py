"""One file for each page of the console: what it reads, what its forms change, and the template that shows it."""
