"""The version that we say we are."""

from importlib.metadata import version

from core.our_version import VERSION


def test_it_is_the_installed_distributions() -> None:
    assert version("archway") == VERSION
