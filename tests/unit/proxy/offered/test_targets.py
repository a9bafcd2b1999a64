from __future__ import annotations

import pytest

from core.snapshot import Offer, Route
from proxy.offered.targets import OfferedArgument, OfferedList, OfferedPrompt, OfferedResource

OFFER = Offer("crm", "prompts", "assignment", "crm__all_prompts", Route("remote", "entry", "crm"))


def test_a_prompt_is_got_by_the_servers_name_with_the_callers_arguments() -> None:
    prompt = OfferedPrompt(OFFER, "greet")
    assert prompt.asks({"name": "crm__greet", "arguments": {"a": "1"}}) == (
        "prompts/get",
        {"name": "greet", "arguments": {"a": "1"}},
    )
    assert prompt.asks({"name": "crm__greet"}) == ("prompts/get", {"name": "greet"})
    assert (prompt.exposed, prompt.assignment_id, prompt.route.entry) == ("crm__all_prompts", "assignment", "crm")


@pytest.mark.parametrize(("result", "taken"), [({"messages": []}, True), ({"messages": 3}, False), ({}, False)])
def test_a_prompts_result_has_messages(result: dict[str, object], taken: bool) -> None:
    assert (OfferedPrompt(OFFER, "p").result_of(result) is not None) is taken


def test_a_resource_is_nobody_elses_to_keep_whatever_its_server_says() -> None:
    told = OfferedResource(OFFER, "a://1").result_of({"contents": [], "cacheScope": "public", "ttlMs": 5})
    assert told == {"contents": [], "cacheScope": "private", "ttlMs": 5}
    assert OfferedResource(OFFER, "a://1").asks({}) == ("resources/read", {"uri": "a://1"})
    assert OfferedResource(OFFER, "a://1").result_of({"content": []}) is None


@pytest.mark.parametrize("kind", [OfferedPrompt, OfferedResource])
def test_a_question_is_a_result_of_both(kind: type[OfferedPrompt]) -> None:
    asks: dict[str, object] = {"resultType": "input_required", "inputRequests": {}}
    assert kind(OFFER, "x").result_of(asks) == asks


@pytest.mark.parametrize(
    ("ref", "sent"),
    [
        ({"type": "ref/prompt", "name": "crm__greet"}, {"type": "ref/prompt", "name": "own"}),
        ({"type": "ref/resource", "uri": "crm+a://{x}"}, {"type": "ref/resource", "uri": "own"}),
    ],
)
def test_an_argument_is_completed_for_the_servers_own(ref: dict[str, object], sent: dict[str, object]) -> None:
    asked = {"ref": ref, "argument": {"name": "a", "value": "p"}, "context": {"arguments": {}}}
    assert OfferedArgument(OFFER, "own").asks(asked) == ("completion/complete", {**asked, "ref": sent})


def test_a_server_that_completes_nothing_has_no_completions_and_one_without_a_list_has_an_empty_one() -> None:
    assert OfferedArgument(OFFER, "x").instead_of(-32601) == {
        "completion": {"values": [], "total": 0, "hasMore": False}
    }
    listed = OfferedList(OFFER, "", "resources/templates/list", "resourceTemplates")
    assert listed.instead_of(-32601) == {"resourceTemplates": []}
    assert listed.instead_of(-32602) is None
    assert OfferedPrompt(OFFER, "x").instead_of(-32601) is None


@pytest.mark.parametrize(("code", "theirs"), [(-32602, True), (-32002, True), (-32601, False), (None, False)])
def test_that_there_is_no_such_thing_is_the_callers_fault(code: object, theirs: bool) -> None:
    assert OfferedPrompt(OFFER, "x").is_callers_fault(code) is theirs
    assert not OfferedList(OFFER, "c", "prompts/list", "prompts").is_callers_fault(code)


def test_a_page_of_a_list_is_asked_for_by_the_servers_cursor() -> None:
    assert OfferedList(OFFER, "", "prompts/list", "prompts").asks({}) == ("prompts/list", {})
    assert OfferedList(OFFER, "c", "prompts/list", "prompts").asks({}) == ("prompts/list", {"cursor": "c"})
