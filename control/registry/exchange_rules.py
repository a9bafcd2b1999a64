"""What makes an identity provider's token exchange one that can be saved: where it is asked, and as which client.

Called by `provider_rules.py` with the whole provider as it would be after the write. Pure.
"""

import json
from typing import Final

from msgspec.structs import replace

from control.registry.broken_rule import BrokenRule
from control.registry.identity_provider import Exchange, ProviderFields, origin_of
from core.egress.addresses import AddressPolicy, UrlRefused, check_url

_OURS: Final = frozenset(
    {"grant_type", "subject_token", "subject_token_type", "requested_token_type", "requested_token_use", "assertion",
     "audience", "resource", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type"}
)  # fmt: skip
"""Parameters of the exchange that Archway alone fills."""
_MOST_PARAMETERS: Final = 20
_LONGEST: Final = 512


def check_exchange(
    wanted: ProviderFields, policy: AddressPolicy, *, has_secret: bool, has_own_secret: bool
) -> Exchange:
    """The exchange in the form that the row keeps, or BrokenRule. `has_secret`: of the client that people sign in
    with; `has_own_secret`: of the client that exchanges.
    """
    exchange = wanted.exchange
    checked = replace(exchange, token_endpoint=_endpoint(wanted, policy))
    _check_parameters(exchange)
    if has_own_secret and not exchange.client_id:
        raise BrokenRule("exchange_client_secret", "goes with a client of its own; give exchange.client_id too")
    if exchange.enabled:
        _check_client(wanted, has_secret=has_secret, has_own_secret=has_own_secret)
    return checked


def exchange_place(wanted: ProviderFields) -> str:
    """Where the secret of the client that exchanges may go, as one text: it follows to no other place."""
    exchange = wanted.exchange
    return json.dumps([wanted.issuer, exchange.token_endpoint, exchange.client_id])


def _endpoint(wanted: ProviderFields, policy: AddressPolicy) -> str:
    endpoint = wanted.exchange.token_endpoint
    if not endpoint:
        return ""
    where = "exchange.token_endpoint"
    try:
        checked = check_url(endpoint, policy, purpose=where)
    except UrlRefused as refused:
        raise BrokenRule(where, str(refused).removeprefix(f"{where}: ")) from None
    if checked.startswith("http://") and not wanted.issuer.startswith("http://"):
        raise BrokenRule(where, "must begin with https://; only where the issuer is on this machine may it be http")
    origin = origin_of(checked)
    if origin not in {origin_of(wanted.issuer), *wanted.approved_hosts}:
        raise BrokenRule(
            where, f"is at {origin}, which is not the issuer's host; if that is right, add it to `approved_hosts`"
        )
    return checked


def _check_client(wanted: ProviderFields, *, has_secret: bool, has_own_secret: bool) -> None:
    exchange = wanted.exchange
    if exchange.client_id:
        if exchange.client_authentication != "none" and not has_own_secret:
            raise BrokenRule(
                "exchange_client_secret",
                "is needed, or exchange.client_authentication must be 'none' (a public client)",
            )
        return
    if not wanted.client_id:
        raise BrokenRule(
            "exchange.client_id", "is needed where people do not sign in with it: register a client there"
        )
    if wanted.client_authentication != "none" and not has_secret:
        raise BrokenRule("client_secret", "is needed: the client that people sign in with exchanges tokens too")


def _check_parameters(exchange: Exchange) -> None:
    where = "exchange.parameters"
    if len(exchange.parameters) > _MOST_PARAMETERS:
        raise BrokenRule(where, f"has more than {_MOST_PARAMETERS} parameters")
    for name, value in exchange.parameters.items():
        if name in _OURS:
            raise BrokenRule(where, f"must not have {name!r}, which Archway fills by itself; leave it out")
        if not name or not (name + value).isprintable() or len(name + value) > _LONGEST:
            raise BrokenRule(where, "must have names and values of printable characters, not too long")
