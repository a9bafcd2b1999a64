"""Where a person is taken after signing in."""

from __future__ import annotations

import pytest

from control.http.return_to import HOME, local_path, sign_in_url


@pytest.mark.parametrize(
    "path", ["/", "/people?page=2", "/oauth/authorize?client_id=https%3A%2F%2Fx&state=a~b", "/a//b"]
)
def test_a_path_of_ours_is_followed(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "text",
    [None, "", "people", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/ /x",
     "/a\\b", "/\r\nSet-Cookie: a=b", "javascript:alert(1)", "/é", "/" + "a" * 5_000, " /x"],
)  # fmt: skip
def test_anything_that_a_browser_could_take_for_another_place_is_not(text: str | None) -> None:
    assert local_path(text) == HOME


def test_the_way_to_the_sign_in_page_leads_back() -> None:
    assert sign_in_url("/people?a=1&b=2") == "/sign-in?return_to=/people%3Fa%3D1%26b%3D2"
    assert sign_in_url("//evil.example") == f"/sign-in?return_to={HOME}"
