"""What would become of a call: who calls, which installation serves, and what a proxy's stages say of it."""
