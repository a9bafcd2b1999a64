"""A pytest plugin: cases that hypothesis makes up have no deadline each, and may be slow to be made.

Its own deadline is 200 ms a case, which a busy machine misses in any of them, and then fails with "unreliable
timings". How long a test may take in all is said in `pyproject.toml`, for these as for all others.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def pytest_configure() -> None:
    settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("house")
