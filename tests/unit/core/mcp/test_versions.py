import pytest

from core.mcp.versions import LATEST_LEGACY, LEGACY_VERSIONS, MODERN, negotiate_legacy


@pytest.mark.parametrize("version", LEGACY_VERSIONS)
def test_a_legacy_version_that_we_serve_is_granted(version: str) -> None:
    assert negotiate_legacy(version) == version


@pytest.mark.parametrize("asked", [MODERN, "2023-01-01", "", None, 20251125, ["2025-06-18"]])
def test_any_other_wish_gets_the_newest_legacy_version(asked: object) -> None:
    assert negotiate_legacy(asked) == LATEST_LEGACY == "2025-11-25"


def test_legacy_versions_stand_oldest_first() -> None:
    assert list(LEGACY_VERSIONS) == sorted(LEGACY_VERSIONS)
