"""Load and figures. See `bench/run.py`."""
