"""Our own pool of connections to upstreams: HTTP/1.1 and nothing of MCP."""
