"""Servers that we run as processes of this machine: for development, and for `archway up`.

`runtime.py` is what the loop of `control/servers` drives; it keeps one `server.py` for each installation, which is a
child (`core/children`) behind `confine.py`: a small program of its own that gives what it starts limits, a user and a
view of the machine, and leaves nothing of it behind. `isolation.py` finds out how much of that this machine allows,
`layout.py` says where everything lies, `program.py` makes the command line, `limits.py` says what it may use,
`open_listeners.py` whether strangers could come near, `health.py` asks how it does, `logs.py` reads what it said.
"""
