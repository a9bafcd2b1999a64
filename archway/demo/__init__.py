"""The demo upstream of `archway up`: a real MCP server behind a real stdio bridge."""
