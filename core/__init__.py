"""What both planes stand on: identifiers, MCP messages, snapshots, tokens, sealing, the outbound guard."""
