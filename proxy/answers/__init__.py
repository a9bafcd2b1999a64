"""What the gateway answers by itself, from memory."""
