"""What would become of a call, through the admin API: a worker's own stages, and control's own word on who calls."""

import json
from typing import Any, cast

import pytest

from control.admin.deps import Deps
from control.explain import asking
from control.registry.access import Caller
from control.registry.broken_rule import BrokenRule
from core.identifiers import new_id
from tests.control.registry_api import Api, api
from tests.fakes.explaining_proxy import ExplainingProxy
from tests.fixtures_admin import AdminClient

__all__ = ["api"]
NOWHERE = "0198d2a0-0000-7000-8000-000000000000"
STATIC = {"credential_model": "static", "credential_placement": {"style": "header", "header": "x-key"}}


@pytest.fixture
def proxy(deps: Deps) -> ExplainingProxy:
    return cast("ExplainingProxy", deps.explaining._proxies)


async def explained(asker: Api | AdminClient, gateway: str, tool: str = "time__now", **body: Any) -> dict[str, Any]:
    client = asker.admin if isinstance(asker, Api) else asker
    answer = await client.post(f"/gateways/{gateway}/explain", {"tool": tool, **body})
    assert answer.status == 200, answer.json
    return dict(answer.json)


def outcome(told: dict[str, Any], stage: str) -> str:
    return next(one["outcome"] for one in told["stages"] if one["stage"] == stage)


@pytest.fixture
async def desk(api: Api) -> dict[str, Any]:
    """A gateway that everybody sees, with a tool of a server to which the organisation is connected."""
    entry = await api.entry(**STATIC)
    await api.install(entry, credential="the-secret-key")
    gateway = await api.gateway(header_allowlist=["x-tenant"])
    await api.assign(gateway, entry)
    return gateway


async def test_a_call_that_nothing_refuses_says_what_would_serve_it_and_never_a_secret(
    api: Api, desk: dict[str, Any], proxy: ExplainingProxy
) -> None:
    anna = await api.user("anna")
    told = await explained(api, desk["id"], subject="user:anna@example.com")
    assert (told["refused"], told["sentence"], told["cause"]) == (False, "", "")
    assert told["caller"]["principal"] == f"user:{anna.user['id']}"
    assert told["caller"]["kind"] == "user_token"
    serving = told["serving"]
    assert (serving["entry"], serving["scope"], serving["credential"]) == ("time", "organisation", "static")
    assert serving["uses"] == "installation"
    assert (told["server"]["kind"], told["server"]["url"]) == ("remote", "https://time.example/mcp")
    assert told["headers"] == [{"name": "x-key", "of": "credential"}, {"name": "x-tenant", "of": "caller"}]
    assert [outcome(told, stage) for stage in ("enter_gateway", "choose_tool", "compose_headers")] == ["passed"] * 3
    assert outcome(told, "authenticate") == "at_the_call"  # no token was named
    assert outcome(told, "receive") == "at_the_call"
    assert "the-secret-key" not in json.dumps(told)
    assert "the-secret-key" not in repr(proxy.questions) + str([one.answer for one in proxy.questions])
    assert [one.answer is not None for one in proxy.questions] == [False, True]


@pytest.mark.parametrize(
    ("subject", "by", "word", "cause"),
    [
        ("user:anna@example.com", None, "gateway_unknown", "Ops"),
        ("organisation", None, "gateway_unknown", "Ops"),
        ("user:bob@example.com", "jwt", "not_authenticated", "accepts tokens that begin with arch_"),
        ("user:bob@example.com", "id_jag", "way_not_accepted", "accepts tokens that begin with arch_"),
    ],
)
async def test_an_admin_is_told_why_somebody_else_would_be_refused_and_what_helps(
    api: Api, subject: str, by: str | None, word: str, cause: str
) -> None:
    ops = await api.team("Ops")
    await api.user("anna")
    await api.user("bob", ops)
    gateway = await api.gateway(visibility="teams", teams=[ops["id"]])
    told = await explained(api, gateway["id"], subject=subject, by=by)
    assert (told["refused"], told["reason"]) == (True, word)
    assert cause in told["cause"]
    assert "`archway" in told["cure"]


async def test_of_oneself_a_gateway_that_one_does_not_see_is_as_one_that_is_not_there(api: Api) -> None:
    ops = await api.team("Ops")
    anna = await api.user("anna")
    hidden = await api.gateway(visibility="teams", teams=[ops["id"]])
    theirs = await explained(anna, hidden["id"])
    assert theirs == await explained(anna, NOWHERE)
    assert theirs["sentence"] == "There is no such gateway for this caller; check the URL."
    assert (theirs["status"], theirs["cause"], theirs["gateway_revision"]) == (404, "", 0)


@pytest.mark.parametrize("named", [True, False], ids=["by a client", "by any client"])
async def test_of_oneself_the_clients_of_a_gateway_that_one_does_not_see_are_told_by_no_way(
    api: Api, named: bool
) -> None:
    wanted = {"name": "Desktop", "acts": "for_people", "auth_method": "none", "redirect_uris": ["http://127.0.0.1/"]}
    mine = await api.admin.made("/oauth-clients", wanted)
    theirs = await api.admin.made("/oauth-clients", {**wanted, "name": "Secret"})
    ops, anna = await api.team("Ops"), await api.user("anna")
    hidden = await api.gateway(visibility="teams", teams=[ops["id"]], allowed_clients=[theirs["client_id"]])
    asked = {"by": "oauth"} | ({"client": mine["client_id"]} if named else {})
    told = await explained(anna, hidden["id"], **asked)
    assert told == await explained(anna, NOWHERE, **asked)
    assert theirs["client_id"] not in json.dumps(told)


async def test_of_oneself_a_tool_of_another_gateway_is_as_one_that_is_not_there(
    api: Api, desk: dict[str, Any]
) -> None:
    anna = await api.user("anna")
    empty = await api.gateway(slug="empty")
    told = await explained(anna, empty["id"], "time__now")
    assert (told["sentence"], told["cause"]) == ("Unknown tool: time__now", "")
    assert await explained(anna, desk["id"], "made__up") == {
        **told,
        "sentence": "Unknown tool: made__up",
        "gateway_revision": (await explained(anna, desk["id"]))["gateway_revision"],
        "stages": [{**one, "why": one["why"].replace("time__now", "made__up")} for one in told["stages"]],
    }


async def test_of_oneself_no_more_is_told_than_a_refusal_would_say(api: Api, desk: dict[str, Any]) -> None:
    anna = await api.user("anna")
    told = await explained(anna, desk["id"])
    assert told["caller"]["principal"] == f"user:{anna.user['id']}"
    assert (told["headers"], told["server"]["url"], told["server"]["calls_at_once"]) == ([], None, None)
    assert told["serving"]["name"]


async def test_a_member_explains_nobody_else_and_is_told_which_permission_that_needs(
    api: Api, desk: dict[str, Any]
) -> None:
    anna, bob = await api.user("anna"), await api.user("bob")
    for subject in ("user:bob@example.com", "organisation", "user:nobody@example.com"):
        answer = await anna.post(f"/gateways/{desk['id']}/explain", {"tool": "t", "subject": subject})
        assert (answer.status, "gateway:explain" in answer.json["detail"]) == (403, True)
    own = await explained(bob, desk["id"], subject=f"user:{bob.user['id']}")
    assert own["caller"]["name"] == "bob"


async def test_asking_about_others_is_audited_and_asking_about_oneself_is_not(api: Api, desk: dict[str, Any]) -> None:
    await api.user("anna")
    await explained(api, desk["id"], subject="user:anna@example.com", arguments={"zone": "a-private-word"})
    await explained(api, desk["id"])
    lines = await api.admin.items("/audit?action=explain")
    assert [(one["object_kind"], one["object_id"], one["after"]) for one in lines] == [
        ("gateway", desk["id"], {"subject": "user:anna@example.com", "by": "token", "tool": "time__now"})
    ]


async def test_somebody_who_is_shut_out_would_not_be_let_in(api: Api, desk: dict[str, Any]) -> None:
    anna = await api.user("anna")
    await api.post(f"/users/{anna.user['id']}/disable", expect=200)
    told = await explained(api, desk["id"], subject="user:anna@example.com")
    assert (told["reason"], told["status"], told["cause"]) == ("not_authenticated", 401, "anna is shut out.")
    assert "archway users enable anna@example.com" in told["cure"]


async def test_a_token_is_judged_as_it_is(api: Api, desk: dict[str, Any]) -> None:
    anna = await api.user("anna")
    token = await api.admin.made("/tokens", {"name": "ci", "kind": "user", "user_id": anna.user["id"]})
    subject = f"token:{token['id']}"
    told = await explained(api, desk["id"], subject=subject)
    assert (told["sentence"], told["caller"]["later"], outcome(told, "authenticate")) == ("", "", "passed")
    assert told["caller"]["principal"] == f"user:{anna.user['id']}"
    await api.post(f"/tokens/{token['id']}/revoke", expect=200)
    told = await explained(api, desk["id"], subject=subject)
    assert (told["reason"], told["cause"]) == ("not_authenticated", "The token 'ci' was revoked.")


async def test_a_token_for_the_api_is_told_to_be_one(api: Api, desk: dict[str, Any]) -> None:
    anna = await api.user("anna")
    (token,) = [one for one in await api.admin.items("/tokens") if one["user_id"] == anna.user["id"]]
    told = await explained(api, desk["id"], subject=f"token:{token['id']}")
    assert (told["reason"], told["status"]) == ("token_for_api", 403)


async def test_a_team_calls_with_what_is_its_own(api: Api) -> None:
    ops = await api.team("Ops")
    entry = await api.entry(**STATIC)
    await api.install(entry, scope="personal", credential="k")
    gateway = await api.gateway()
    await api.assign(gateway, entry)
    told = await explained(api, gateway["id"], subject="team:Ops")
    assert told["reason"] == "credential_missing"
    assert "archway installations create --entry time --scope team --team Ops" in told["sentence"]
    await api.install(entry, scope="team", team_id=ops["id"], credential="k")
    told = await explained(api, gateway["id"], subject="team:Ops")
    assert (told["refused"], told["serving"]["scope"], told["serving"]["owner"]) == (False, "team", "Ops")


async def test_a_client_that_the_gateway_does_not_let_in_is_refused_and_one_that_it_does_is_not(api: Api) -> None:
    wanted = {"name": "Nightly", "acts": "by_itself", "auth_method": "client_secret_basic"}
    nightly = await api.admin.made("/oauth-clients", wanted)
    other = await api.admin.made("/oauth-clients", {**wanted, "name": "Weekly"})
    entry = await api.entry(**STATIC)
    await api.install(entry, credential="k")
    gateway = await api.gateway(allowed_clients=[nightly["client_id"]])
    await api.assign(gateway, entry)
    assert not (await explained(api, gateway["id"], subject=f"service:{nightly['client_id']}"))["refused"]
    told = await explained(api, gateway["id"], subject=f"service:{other['client_id']}")
    assert told["reason"] == "not_authenticated"
    assert f"--add-client {other['client_id']}" in told["cure"]
    await api.post(f"/oauth-clients/{nightly['id']}/disable", expect=200)
    told = await explained(api, gateway["id"], subject=f"service:{nightly['client_id']}")
    assert told["cause"] == "The OAuth client Nightly is shut out."


async def test_a_tool_in_quarantine_is_told_with_what_releases_it(api: Api, desk: dict[str, Any]) -> None:
    (entry,) = await api.admin.items("/entries")
    (tool,) = [one for one in await api.admin.items(f"/entries/{entry['id']}/tools") if one["name"] == "now"]
    await api.patch(f"/entries/{entry['id']}/tools/{tool['id']}", {"state": "quarantined"})
    told = await explained(api, desk["id"])
    assert told["sentence"] == "time__now was quarantined by an administrator and cannot be called."
    assert told["cure"] == "Let it out with `archway entries release time now`."


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"subject": "ada@example.com"}, "subject"),
        ({"subject": "user:"}, "subject"),
        ({"subject": "organisation:x"}, "subject"),
        ({"subject": "user:nobody@example.com"}, "subject"),
        ({"subject": "team:None"}, "subject"),
        ({"subject": "service:none"}, "subject"),
        ({"subject": f"token:{NOWHERE}"}, "subject"),
        ({"subject": f"external:{NOWHERE}"}, "subject"),
        ({"subject": "organisation", "by": "oauth"}, "by"),
        ({"client": "none", "by": "oauth"}, "client"),
        ({"arguments": {"much": "x" * (257 << 10)}}, "arguments"),
    ],
)
async def test_a_question_about_nobody_is_refused_with_the_field(
    api: Api, desk: dict[str, Any], body: dict[str, Any], field: str
) -> None:
    answer = await api.admin.post(f"/gateways/{desk['id']}/explain", {"tool": "t", **body})
    assert answer.status == 422, answer.json
    assert answer.problem(field)


async def test_without_a_proxy_that_answers_the_error_says_so(
    api: Api, desk: dict[str, Any], proxy: ExplainingProxy
) -> None:
    proxy.away = "No proxy answered; check that one is running, then ask again."
    answer = await api.admin.post(f"/gateways/{desk['id']}/explain", {"tool": "t"})
    assert (answer.status, answer.json["detail"]) == (503, proxy.away)


async def test_of_oneself_an_installation_that_one_does_not_see_is_not_named(api: Api) -> None:
    ops, anna = await api.team("Ops"), await api.user("anna")
    entry = await api.entry(**STATIC)
    lent = await api.install(entry, scope="team", team_id=ops["id"], name="crown", credential="k")
    gateway = await api.gateway()
    await api.assign(gateway, entry, installation=lent["id"])
    assert (await anna.send("GET", f"/installations/{lent['id']}")).status == 404
    told = await explained(anna, gateway["id"])
    assert not told["refused"]
    assert not [word for word in ("Ops", "crown") if word in json.dumps(told)]
    known = (await explained(api, gateway["id"], subject="user:anna@example.com"))["serving"]
    assert (known["id"], known["owner"], known["name"]) == (lent["id"], "Ops", "crown")


async def test_arguments_are_too_long_for_whoever_asks_be_it_the_api_or_the_page() -> None:
    """Said before anything is read: nothing else that is handed in is looked at."""
    nothing: Any = None
    long = "x" * (asking.MAX_ARGUMENTS + 1)
    asker = Caller(user_id=new_id(), name="Eve", role="member")
    with pytest.raises(BrokenRule, match="arguments"):
        await asking.explain_to(asker, nothing, nothing, "g", tool="t", subject=None, by=None, arguments=long)
