"""The gateways that this worker holds, and how they stay true."""
