from __future__ import annotations

import pytest

from core.resolve import LONGEST_SCOPE, MOST_SCOPES
from proxy.upstream.challenges import scopes_needed


@pytest.mark.parametrize(
    ("challenge", "scopes"),
    [
        ('Bearer error="insufficient_scope", scope="repo read:org"', ("repo", "read:org")),
        ("Bearer error=insufficient_scope, scope=repo", ("repo",)),
        ('bearer realm="a, b", ERROR = "insufficient_scope" , Scope="repo repo"', ("repo",)),
        ('DPoP algs="ES256", Bearer error="insufficient_scope",scope="a"', ("a",)),
        ('Bearer scope="of another", DPoP error="insufficient_scope", scope="a"', ("a",)),
        (
            'Bearer error="insufficient_scope", scope="https://graph.test/.default files:\\"x", '
            'resource_metadata="https://mcp.test/.well-known/oauth-protected-resource", error_description="more"',
            ("https://graph.test/.default",),
        ),
        ('Bearer error="insufficient_scope"', ()),
        ('Bearer error="insufficient_scope", scope=""', ()),
        (
            'Bearer error="insufficient_scope", error_description="Required scope: notes:write", '
            'resource_metadata="http://127.0.0.1/.well-known/oauth-protected-resource/mcp"',
            (),
        ),
        ('Bearer error="invalid_token", scope="repo"', None),
        ('Bearer error_description="insufficient_scope", scope="repo"', None),
        ('Bearer scope="error=insufficient_scope repo"', None),
        ('Bearer scope="repo"', None),
        ("", None),
        ('"""===,,,\\', None),
    ],
)
def test_the_scopes_that_a_challenge_asks_for_are_read(challenge: str, scopes: tuple[str, ...] | None) -> None:
    assert scopes_needed(challenge) == scopes


def test_no_more_scopes_are_read_than_a_question_has_room_for() -> None:
    many = " ".join(f"s{number}" for number in range(MOST_SCOPES + 1))
    assert len(scopes_needed(f'Bearer error="insufficient_scope", scope="{many}"')) == MOST_SCOPES
    long = "s" * LONGEST_SCOPE
    assert scopes_needed(f'Bearer error="insufficient_scope", scope="{long}s {long}"') == (long,)
