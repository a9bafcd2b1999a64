"""The Model Context Protocol as pure functions of values: no I/O, no clock, standard library and orjson only."""
