"""The document in which Archway describes itself as a client of servers' providers (CIMD)."""

from __future__ import annotations

import orjson
import pytest
from aiohttp.test_utils import make_mocked_request

from control.http.problems import Problem
from control.oauth.client_document import ClientDocument

PATH = "/oauth/clients-of-servers/github"
OF_GITHUB = {"entry": "github"}


async def test_its_name_is_its_address_and_people_come_back_to_the_callback_of_that_entry_alone() -> None:
    answer = await ClientDocument("https://tools.example.com").handle(
        make_mocked_request("GET", PATH, match_info=OF_GITHUB)
    )
    assert isinstance(answer.body, bytes)
    told = orjson.loads(answer.body)
    assert told["client_id"] == f"https://tools.example.com{PATH}"
    assert told["redirect_uris"] == ["https://tools.example.com/install/callback/github"]
    assert told["token_endpoint_auth_method"] == "none"


async def test_where_others_cannot_read_it_there_is_none() -> None:
    with pytest.raises(Problem) as refused:
        await ClientDocument("http://127.0.0.1:8400").handle(make_mocked_request("GET", PATH, match_info=OF_GITHUB))
    assert refused.value.status == 404
