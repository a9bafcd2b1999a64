from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from core.snapshot import Offer, Tool
from proxy.gateways.app_pages import app_pages
from tests.fakes.call_parts import tool

PAGE = "ui://board/main.html"


def naming(exposed: str, like: Tool | None = None, **meta: Any) -> Tool:
    """A tool that names a page; of the same server as another one."""
    made = tool(exposed, definition={"_meta": meta})
    return made if like is None else replace(made, route=like.route)


def test_a_page_is_read_as_an_offer_of_the_tools_assignment() -> None:
    one = naming("t", ui={"resourceUri": PAGE})
    offer, own = app_pages([one]).by_uri[PAGE]
    assert (offer.exposed, offer.assignment_id, offer.route, own) == ("t", one.assignment_id, one.route, PAGE)
    assert app_pages([one]).definitions == [one.definition]


def test_tools_of_one_server_share_a_page() -> None:
    first = naming("t", ui={"resourceUri": PAGE})
    pages = app_pages([first, naming("u", first, ui={"resourceUri": PAGE})])
    assert pages.by_uri.keys() == {PAGE}


def test_tools_of_two_servers_or_installations_do_not() -> None:
    first = naming("t", **{"ui": {"resourceUri": PAGE, "csp": 1}, "ui/resourceUri": PAGE, "more": 2})
    other = replace(first.route, installation_id="another")
    second = replace(naming("u", ui={"resourceUri": PAGE}), route=other)
    pages = app_pages([first, second])
    assert {uri: own for uri, (_, own) in pages.by_uri.items()} == {
        "ui://t+board/main.html": PAGE,
        "ui://u+board/main.html": PAGE,
    }
    assert pages.definitions[0]["_meta"] == {
        "ui": {"resourceUri": "ui://t+board/main.html", "csp": 1},
        "ui/resourceUri": "ui://t+board/main.html",
        "more": 2,
    }
    assert first.definition["_meta"]["ui"]["resourceUri"] == PAGE  # the snapshot's own stays


def test_beside_a_page_that_two_name_an_odd_member_stays_as_it_is() -> None:
    odd = {"ui": {"resourceUri": ["odd"]}, "ui/resourceUri": PAGE}
    pages = app_pages([naming("t", **odd), naming("u", ui={"resourceUri": PAGE})])
    assert pages.definitions[0]["_meta"] == {**odd, "ui/resourceUri": "ui://t+board/main.html"}


def test_what_is_no_page_is_none() -> None:
    tools = [naming("a"), naming("b", ui=3), naming("c", ui={"resourceUri": "file:///x"}), tool("d")]
    tools += [tool("e", definition={"_meta": "odd"}), naming("f", ui={"resourceUri": [PAGE]})]
    assert app_pages(tools).by_uri == {}
    assert app_pages(tools).definitions == [one.definition for one in tools]


def test_a_page_that_is_named_as_anothers_would_be_is_not_taken_for_it() -> None:
    liar, honest = naming("a", ui={"resourceUri": "ui://u+board/main.html"}), naming("u", ui={"resourceUri": PAGE})
    pages = app_pages([liar, naming("b", liar, ui={"resourceUri": PAGE}), honest])
    shown = pages.definitions[2]["_meta"]["ui"]["resourceUri"]
    assert pages.by_uri[shown][0].assignment_id == honest.assignment_id


def test_nor_is_one_that_is_named_as_a_resource_of_another_server_would_be() -> None:
    liar, other = naming("a", ui={"resourceUri": "ui://crm+board"}), tool("b")
    offer = Offer("crm", "resources", "assignment", "crm__all_resources", other.route)
    assert app_pages([liar, other], [offer]).by_uri.keys() == {"ui://a+crm+board"}
    assert app_pages([liar, other], [replace(offer, route=liar.route)]).by_uri.keys() == {"ui://crm+board"}
