"""URLs of links that sign a person in."""

from control.http.cookies import may_be_secret
from control.http.links import link_url, new_link_secret


def test_each_secret_is_another_and_fits_into_a_path() -> None:
    secrets = {new_link_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(map(may_be_secret, secrets))


def test_the_url_is_where_peoples_pages_are() -> None:
    assert link_url("https://mcp.example.com", "s3cret") == "https://mcp.example.com/sign-in/link/s3cret"
