from core.mcp.methods import CLIENT_NOTIFICATIONS, LEGACY_METHODS, MODERN_METHODS, NAME_PARAMETER


def test_what_the_modern_era_removed_is_legacy_only() -> None:
    removed = {"initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"}
    assert removed <= LEGACY_METHODS
    assert not removed & MODERN_METHODS


def test_what_the_modern_era_brought_is_modern_only() -> None:
    brought = {"server/discover", "subscriptions/listen", "tasks/update"}
    assert brought <= MODERN_METHODS
    assert not brought & LEGACY_METHODS


def test_every_method_that_mirrors_a_name_is_a_modern_method() -> None:
    assert NAME_PARAMETER.keys() <= MODERN_METHODS


def test_no_notification_passes_for_a_method() -> None:
    assert not CLIENT_NOTIFICATIONS & (LEGACY_METHODS | MODERN_METHODS)
