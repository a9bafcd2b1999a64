"""Why a call would be refused and what helps, for whoever may know: more than the caller is told.

Pure, of what `explaining.py` found. The caller's own sentence says nothing of what they may not see; this does, so it
is shown to nobody but those who may ask about others (`gateway:explain`).
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Final

from control.explain.of_provider import takes_tokens, way_not_taken
from control.explain.serving import Serving
from control.explain.who_calls import WhoCalls
from control.registry.entry import Entry
from control.registry.gateway import Gateway, ways_in
from control.registry.held_hosts import in_words, to_let_in
from control.registry.identity_provider import IdentityProvider
from core.explain import Explained
from core.resolve import Way

_MOST_NAMED: Final = 5
WAYS: Final[Mapping[Way, str]] = {
    "token": "tokens that begin with arch_",
    "oauth": "signing in with an OAuth client",
    "id_jag": "assertions of its identity provider",
    "jwt": "its identity provider's own tokens",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why, and what helps; both '' where the caller's own sentence says it all."""

    cause: str = ""
    cure: str = ""


def cause_of(
    explained: Explained,
    who: WhoCalls,
    gateway: Gateway | None,
    serving: Serving | None,
    *,
    provider: IdentityProvider | None = None,
    teams: Mapping[str, str],
    tools: Sequence[str],
    asked: str,
) -> Cause:
    """The cause of a refusal. `provider`: that the gateway names; `teams`: names by identifier; `tools`: what the
    gateway shows; `asked`: the name of the tool that was asked for.
    """
    match explained.reason:
        case "not_authenticated" | "token_for_api" | "gateway_unknown" if who.cause:
            return Cause(who.cause, who.cure)
        case "not_authenticated" if gateway is None:
            return _unseen(who, gateway, teams)
        case "gateway_unknown":
            return _unseen(who, gateway, teams)
        case "not_authenticated" | "way_not_accepted" if gateway is not None:
            cause, cure = way_not_taken(gateway, provider, who.verdict.way)
            return Cause(cause or f"This gateway accepts {_taken(gateway, provider)}.", cure)
        case "tool_unknown" if gateway is not None:
            return _unassigned(gateway, tools, asked)
        case "quarantined":
            return Cause(
                f"Somebody put {explained.upstream} of {explained.server} into quarantine.",
                f"Let it out with `archway entries release {explained.server} {quote(explained.upstream)}`.",
            )
        case "held_back":
            tool = quote(explained.upstream)
            return Cause(
                f"{explained.upstream} of {explained.server} is another tool than the one that was approved.",
                f"See how with `archway entries changes {explained.server} {tool}`, then "
                f"`archway entries acknowledge {explained.server} {tool}`.",
            )
        case "upstream_egress" if serving is not None and serving.entry is not None:
            return _shut_out(serving.entry)
        case "audit_unavailable":
            return Cause(
                "Redis does not answer, and the proxy's folder for records is full or not there.",
                "See what `archway doctor` says of Redis.",
            )
        case _ if serving is not None and serving.standing is not None:
            return Cause(serving.standing.cause, serving.standing.cure)
    return Cause()


def _shut_out(entry: Entry) -> Cause:
    if entry.held is None:
        return Cause()
    where = entry.held.environment
    return Cause(
        f"The egress policy of the environment {where} allows {in_words(entry.held.rules)}.",
        to_let_in(entry),
    )


def _taken(gateway: Gateway, provider: IdentityProvider | None) -> str:
    ways = [one for one in ways_in(gateway) if one != "jwt" or takes_tokens(gateway, provider)]
    return " and ".join(WAYS[one] for one in ways)


def _unseen(who: WhoCalls, gateway: Gateway | None, teams: Mapping[str, str]) -> Cause:
    if gateway is None:
        return Cause("There is no gateway of this name.", "`archway gateways list` shows those that there are.")
    name = who.principal.name
    if gateway.visibility == "personal":
        return Cause(
            f"{gateway.name} is the personal gateway of somebody else.",
            "Make one that others see: `archway gateways create --visibility organisation`.",
        )
    named = [teams.get(one, one) for one in gateway.teams]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    told = ", ".join(named[:_MOST_NAMED]) + more
    cause = f"{gateway.name} is for members of {told}, and {name} is in none of them."
    if who.principal.kind != "user" or not named:
        return Cause(cause, f"Show it to others with `archway gateways update {gateway.slug} --add-team TEAM`.")
    return Cause(cause, f"Take them in with `archway teams add {quote(named[0])} {quote(name)}`.")


def _unassigned(gateway: Gateway, tools: Sequence[str], asked: str) -> Cause:
    near = [one for one in tools if one.endswith(f"__{asked}")] or difflib.get_close_matches(asked, tools)
    shown = f" It shows {', '.join(near[:_MOST_NAMED])}." if near else ""
    return Cause(
        f"{gateway.name} shows no tool of this name.{shown}",
        f"Assign it with `archway assignments create --gateway {gateway.slug} --entry ENTRY --tool TOOL`.",
    )
