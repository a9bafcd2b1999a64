"""The bridge: one MCP server that speaks over stdio, served to proxies over Streamable HTTP.

`python -m bridge --port N -- COMMAND ARG...` runs the command as its child and answers at `/mcp` and `/healthz`. It
is the program of the base image, as its process 1, and what the process runtime starts on a machine without a
cluster. `kept_server.py` keeps the child running, `run.py` is the conversation with one run of it, `listener.py` what
HTTP callers meet. It stands on the few modules of `core` that need the standard library and orjson, and on aiohttp's
server.
"""
