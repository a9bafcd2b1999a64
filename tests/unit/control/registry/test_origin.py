import pytest

from control.registry.origin import origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://A.test/x?y", "https://a.test"),
        ("https://a.test:443", "https://a.test"),
        ("http://a.test:443", "http://a.test:443"),
        ("http://a.test:80/", "http://a.test"),
        ("http://[::1]:8080/mcp", "http://[::1]:8080"),
    ],
)
def test_origins_are_compared_in_one_form(url: str, origin: str) -> None:
    assert origin_of(url) == origin
