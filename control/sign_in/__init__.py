"""How people come in: passwords, links, browser sessions, and what slows down those who guess."""
