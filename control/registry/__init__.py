"""The rules of the registry: pure functions of values, without I/O and without a clock."""
