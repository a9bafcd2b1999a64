"""The data plane: terminates MCP, decides, forwards. `pipeline.py` is the page to read first."""
