"""What makes an identity provider one that can be saved: its issuer, its client, and what it may give together.

Called by `control/changes/identity_providers.py` with the whole provider as it would be after the write. Leaves out
whether the provider can be reached: that is `control/identity/discovery.py`'s, when it is tested.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from control.registry.actions import ROLES, Role
from control.registry.broken_rule import BrokenRule
from control.registry.exchange_rules import check_exchange
from control.registry.identity_provider import ProviderFields, origin_of
from control.registry.job_rules import check_service_rules
from control.registry.oauth_scopes import is_scope
from control.registry.slugs import check_slug
from core.egress.addresses import AddressPolicy, UrlRefused, check_url
from core.key_sets import MAX_ISSUER

MAX_RULES: Final = 500
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_OURS: Final = frozenset(
    {"client_id", "response_type", "response_mode", "redirect_uri", "scope", "state", "nonce", "code_challenge",
     "code_challenge_method", "request", "request_uri", "registration"}
)  # fmt: skip
"""Parameters of the authorization request that Archway alone fills."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


def check_provider(
    wanted: ProviderFields, policy: AddressPolicy, *, has_secret: bool, has_exchange_secret: bool = False
) -> ProviderFields:
    """The provider in the form that the row keeps, or BrokenRule."""
    check_slug(wanted.slug)
    _check_issuer(wanted.issuer, policy)
    if wanted.sign_in:
        _check_client(wanted, has_secret=has_secret)
    for name, value in wanted.authorize_parameters.items():
        if name in _OURS:
            raise BrokenRule("authorize_parameters", "names a parameter that Archway fills by itself; leave it out")
        if not name or not (name + value).isprintable():
            raise BrokenRule("authorize_parameters", "must have names and values of printable characters")
    if not wanted.algorithms:
        raise BrokenRule("algorithms", "needs at least one; RS256 is what most providers sign with")
    domains = tuple(sorted({domain.lower() for domain in wanted.allowed_domains}))
    for number, domain in enumerate(domains):
        if _DOMAIN.fullmatch(domain) is None:
            raise BrokenRule(f"allowed_domains[{number}]", "must be a domain such as example.com, without '@'")
    if wanted.create_people and not domains:
        raise BrokenRule("allowed_domains", "is needed to make people: else everybody with an account there gets in")
    _check_rules(wanted)
    check_service_rules(wanted.service_rules)
    wanted = replace(wanted, approved_hosts=_checked_hosts(wanted.approved_hosts, policy))
    return replace(
        wanted, allowed_domains=domains,
        exchange=check_exchange(wanted, policy, has_secret=has_secret, has_own_secret=has_exchange_secret),
        audiences=tuple(dict.fromkeys(wanted.audiences)), scopes=tuple(dict.fromkeys(wanted.scopes)),
    )  # fmt: skip


def audience_for(audience: str, provider: ProviderFields, *, takes_assertions: bool = False) -> str:
    """What tokens of this provider must be for at a gateway: what it names, or the only one that there is. BrokenRule
    where it names none of the provider's; there is no gateway that takes tokens for whatever. '' for one that takes
    none but assertions, which are for Archway itself: where it names none, and the provider has none or several.
    """
    if audience in provider.audiences:
        return audience
    if takes_assertions and not audience and len(provider.audiences) != 1:
        return ""
    if not audience and len(provider.audiences) == 1:
        return provider.audiences[0]
    if not provider.audiences:
        raise BrokenRule(
            "identity_provider_id", "has no `audiences`: an admin must say there what its tokens for gateways are for"
        )
    known = ", ".join(provider.audiences[:10])
    raise BrokenRule("identity_provider_audience", f"must be one of the provider's `audiences`: {known}")


def may_be_plain(url: str) -> bool:
    """Whether an address may be http: on this machine alone."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    return re.sub(r":\d+$", "", host) in _LOOPBACK


def lower_of(one: Role, other: Role) -> Role:
    """The role of the two that holds less."""
    return ROLES[max(ROLES.index(one), ROLES.index(other))]


def higher_of(one: Role, other: Role) -> Role:
    """The role of the two that holds more."""
    return ROLES[min(ROLES.index(one), ROLES.index(other))]


def _check_issuer(issuer: str, policy: AddressPolicy) -> None:
    """An issuer is compared byte by byte with what tokens say, so it is judged and not changed."""
    if len(issuer) > MAX_ISSUER:
        raise BrokenRule("issuer", f"has more than {MAX_ISSUER} characters")
    try:
        normal = check_url(issuer, policy, purpose="issuer")
    except UrlRefused as refused:
        raise BrokenRule("issuer", str(refused).removeprefix("issuer: ")) from None
    if "?" in issuer:
        raise BrokenRule("issuer", "must have no query (OpenID Connect Discovery, section 3)")
    if normal.removesuffix("/") != issuer.removesuffix("/"):
        raise BrokenRule(
            "issuer", "must be in its usual form: lower-case host, no default port, as its tokens name it"
        )
    if normal.startswith("http://") and not may_be_plain(normal):
        raise BrokenRule("issuer", "must begin with https://; only on this machine may it be http")


def _check_client(wanted: ProviderFields, *, has_secret: bool) -> None:
    if not wanted.client_id:
        raise BrokenRule("client_id", "is needed where people sign in with it: register Archway there")
    if "openid" not in wanted.scopes:
        raise BrokenRule("scopes", "must have `openid`: without it the provider does not say who signed in")
    for number, scope in enumerate(wanted.scopes):
        if not is_scope(scope):
            raise BrokenRule(f"scopes[{number}]", "must be one scope, without spaces")
    if wanted.client_authentication != "none" and not has_secret:
        raise BrokenRule("client_secret", "is needed, or `client_authentication` must be 'none' (a public client)")
    if wanted.client_id in wanted.audiences:
        raise BrokenRule(
            "audiences",
            "names the client that people sign in with: its tokens are for Archway's own sign-in, not for gateways; "
            "register the gateways as an API of their own",
        )


def _check_rules(wanted: ProviderFields) -> None:
    if wanted.team_rules and not wanted.teams_claim:
        raise BrokenRule("teams_claim", "is needed for `team_rules`; for most providers it is 'groups'")
    if wanted.role_rules and not wanted.roles_claim:
        raise BrokenRule("roles_claim", "is needed for `role_rules`; for most providers it is 'roles' or 'groups'")
    for name, rules in (("team_rules", wanted.team_rules), ("role_rules", wanted.role_rules)):
        if len(rules) > MAX_RULES:
            raise BrokenRule(name, f"has {len(rules)} rules; at most {MAX_RULES} are allowed")
    for number, rule in enumerate(wanted.role_rules):
        if lower_of(rule.role, wanted.highest_role) != rule.role:
            raise BrokenRule(
                f"role_rules[{number}].role", f"is more than `highest_role` ({wanted.highest_role}) lets it give"
            )


def _checked_hosts(hosts: Sequence[str], policy: AddressPolicy) -> tuple[str, ...]:
    checked = set()
    for number, host in enumerate(hosts):
        try:
            url = check_url(host, policy, purpose="host")
        except UrlRefused as refused:
            raise BrokenRule(f"approved_hosts[{number}]", str(refused).removeprefix("host: ")) from None
        if url.removesuffix("/") != origin_of(url):
            raise BrokenRule(f"approved_hosts[{number}]", "must be an origin, such as https://oauth2.example.com")
        checked.add(origin_of(url))
    return tuple(sorted(checked))
