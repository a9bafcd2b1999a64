"""Accounts at providers of servers: how people sign in there, and how what came is kept, renewed and given back."""
