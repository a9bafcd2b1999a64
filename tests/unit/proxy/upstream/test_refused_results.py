from __future__ import annotations

import orjson
import pytest

from proxy.upstream.refused_results import MOST_BLOCKS, MOST_READ, looks_refused


def said(*texts: object) -> dict[str, object]:
    return {"content": [{"type": "text", "text": text} for text in texts], "isError": True}


@pytest.mark.parametrize(
    "text",
    [
        "401 Unauthorized",
        "401",
        "HTTP 401",
        "HTTP/1.1 401 Unauthorized",
        "Request failed with status code 401",
        "Error: 401 Client Error: Unauthorized for url: https://api.test/v1/me",
        "GitHub API error: 401 Bad credentials",
        "API returned 401: token is not valid",
        '{"status":401,"message":"Bad credentials"}',
        '{"error":{"code":401,"message":"Request had invalid authentication credentials."}}',
        "Unauthorized",
        "Error: unauthorized",
        "UNAUTHENTICATED: Request had invalid authentication credentials",
        "invalid_token",
        'Bearer error="invalid_token"',
        "The access token expired",
        "Your token has expired, please sign in again",
        "token was revoked",
        "expired_token",
        "Invalid access token",
        "Bad credentials",
        "Authentication required",
        "Login required",
    ],
)
def test_a_refused_sign_in_is_seen(text: str) -> None:
    assert looks_refused(said(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "403 Forbidden",
        "404 Not Found",
        "No such repository",
        "401 items found, which is too many",
        "Line 401: syntax error",
        "The invoice of 401 USD is overdue",
        "My 401k plan is not known",
        "Port 4010 is closed",
        "You are unauthorized to delete this project",
        "Unauthorized access to this folder is not logged",
        "This action needs the role of an owner",
        "unexpected token } in JSON at position 401",
        "The tokenizer failed",
        "Too many tokens in the prompt: the limit is 4096",
        "rate limit exceeded, retry after 60 s",
    ],
)
def test_what_is_something_else_is_not_taken_for_one(text: str) -> None:
    assert not looks_refused(said(text))


@pytest.mark.parametrize(
    "content",
    [None, "Unauthorized", {"text": "Unauthorized"}, ["Unauthorized"], [{"type": "text"}], [{"text": 401}],
     orjson.Fragment(b'[{"type":"text","text":"Unauthorized"}]')],
)  # fmt: skip
def test_what_is_no_text_in_a_block_says_nothing(content: object) -> None:
    assert not looks_refused({"content": content, "isError": True})


def test_only_the_beginning_is_looked_at() -> None:
    assert looks_refused(said("x " * (MOST_READ // 2 - 10) + "Unauthorized"))
    assert not looks_refused(said("x " * (MOST_READ // 2) + "Unauthorized"))
    assert looks_refused(said(*["fine"] * (MOST_BLOCKS - 1), "Unauthorized"))
    assert not looks_refused(said(*["fine"] * MOST_BLOCKS, "Unauthorized"))
