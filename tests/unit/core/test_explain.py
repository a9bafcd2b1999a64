from core.explain import blank


def test_headers_are_told_without_their_values() -> None:
    assert blank([("authorization", "Bearer secret"), ("x-org", "acme")]) == [("authorization", ""), ("x-org", "")]
