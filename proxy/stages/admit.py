"""Admit: is this HTTP that we can judge, for us, from somebody who may ask?

What later stages judge or forward must have one meaning: every value is visible ASCII, no judged header comes
twice, and the host is the effective one (RFC 9112 section 3.2.2). No header of the caller changes who it is or
where it goes.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from core.egress.header_grammar import MAY_REPEAT, NAME, VALUE
from core.tokens import digest
from proxy.caches.usual import remember
from proxy.deps import Deps
from proxy.exchange import Exchange, Head, Judged
from proxy.gateways.resources import GATEWAY_PATH
from proxy.refusals import Refusal, overloaded

_GATEWAY_NAME = re.compile(r"[a-z0-9-]{1,63}")
_VALUE = re.compile(VALUE.encode())
_TOKEN = re.compile(NAME.encode())
HTTP = ((1, 0), (1, 1))
"""The versions that are served."""
_MOST_NAMES = 1024
_LONGEST_NAME = 64


def admit(x: Exchange, deps: Deps) -> None:
    """Fill headers, address and the gateway's name. Refuses 400, 403, 404, 421 and, when overloaded, 503."""
    judged = x.head.judged
    if judged is None:
        judged = x.head.judged = _judged(x.head, deps)
    x.headers, x.gateway_name, x.address = judged.headers, judged.gateway_name, judged.address
    if deps.overload.sheds and not x.let_in and x.head.method == "POST" and overload_refuses(judged, deps):
        raise overloaded()
    usage, settings = deps.usage, deps.settings
    if usage.running.used >= settings.calls_in_flight or usage.held.used >= settings.bytes_in_flight:
        deps.overload.pressed = True
        raise overloaded()


def one_too_many(head: Head, deps: Deps) -> bool | None:
    """Whether all that `admit` has to say of a plain call is that it is one too many; None is no verdict.

    To be asked only while `deps.overload.sheds`, by a lane that then saves itself the exchange. Fills `head.judged`.
    A browser's call is none of these, since its answer names the origin.
    """
    if head.method != "POST":
        return None
    judged = head.judged
    if judged is None:
        try:
            judged = head.judged = _judged(head, deps)
        except Refusal:
            return None
    return None if "origin" in judged.headers else overload_refuses(judged, deps)


def overload_refuses(judged: Judged, deps: Deps) -> bool:
    """Whether an overloaded worker refuses this caller. To be asked only while it sheds; counts as one question."""
    return deps.overload.refuses(judged.address, stranger=_is_stranger(judged, deps))


def _is_stranger(judged: Judged, deps: Deps) -> bool:
    """Whether this worker knows nothing of the caller; a head may be new because of a trace or a request's id."""
    claimed = judged.claimed_digest if judged.caller is None else judged.caller.proof.digest
    if claimed is None:  # a caller that is refused comes again
        scheme, _, credential = judged.headers.get("authorization", "").partition(" ")
        claimed = judged.claimed_digest = digest(credential) if scheme.lower() == "bearer" else ""
    return not claimed or not deps.authority.remembers(claimed)


def _judged(head: Head, deps: Deps) -> Judged:
    """What the head is by itself. Refuses 400, 403, 404 and 421."""
    headers, path = judged_for_us(head, deps)
    origin = headers.get("origin")
    if origin is not None and origin not in deps.origins:
        raise Refusal("origin_foreign")
    return Judged(headers, gateway_in(path), address_of(head.peer, headers, deps))


def judged_for_us(head: Head, deps: Deps) -> tuple[dict[str, str], str]:
    """Headers and path of a request that has one meaning and is for a host of ours. Refuses 400 and 421."""
    if head.version not in HTTP:
        raise Refusal("framing", what="this version of HTTP is not supported")
    headers = _headers(head.raw_headers, deps.header_names) if head.headers is None else head.headers
    path = head.target
    host = headers.get("host")
    if not host or not path.startswith("/"):
        host, path = _effective(path, headers)
    if _hostname(host) not in deps.hosts:
        raise Refusal("host_unknown")
    return headers, path


@lru_cache(1024)
def gateway_in(path: str) -> str:
    """The gateway that a raw path names: nothing decoded, nothing normalised but for one slash at the end.

    Clients that join a base URL and an empty path add it.
    """
    rest = path.removeprefix(GATEWAY_PATH)
    name = rest.removesuffix("/")
    if len(rest) == len(path) or _GATEWAY_NAME.fullmatch(name) is None:
        raise Refusal("path_unknown")
    return name


def _headers(raw: Sequence[tuple[bytes, bytes]], names: dict[bytes, str]) -> dict[str, str]:
    """The headers by lower-case name. Nearly every request is cleared by one look: known `names`, none twice."""
    try:
        headers = {names[name]: value.decode("ascii") for name, value in raw}
    except (KeyError, UnicodeDecodeError):
        return _headers_one_by_one(raw, names)
    clean = len(headers) == len(raw) and "".join(headers.values()).isprintable()
    return headers if clean else _headers_one_by_one(raw, names)


def _headers_one_by_one(raw: Sequence[tuple[bytes, bytes]], names: dict[bytes, str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key = names.get(name) or _judged_name(name, names)
        if _VALUE.fullmatch(value) is None:
            raise Refusal("header_value")
        text = value.decode("ascii")
        if key in headers:
            if key not in MAY_REPEAT:
                raise Refusal("header_repeated", name=key)
            text = f"{headers[key]}, {text}"
        headers[key] = text
    return headers


def _judged_name(name: bytes, names: dict[bytes, str]) -> str:
    """In lower case; refuses what is no token (RFC 9110 section 5.1). Remembered in `names`: few are ever used."""
    if _TOKEN.fullmatch(name) is None:
        raise Refusal("framing", what="a header's name is not a token")
    key = name.decode("ascii").lower()
    if len(name) <= _LONGEST_NAME:
        remember(names, bytes(name), key, _MOST_NAMES)
    return key


def _effective(target: str, headers: dict[str, str]) -> tuple[str, str]:
    """Host and path of a target that is no path: in its absolute form it must name the host that the header names."""
    host = headers.get("host", "")
    if not host:
        raise Refusal("framing", what="the Host header is missing")
    try:
        parts = urlsplit(target)
    except ValueError:
        raise Refusal("framing", what="the request target is not a URL") from None
    if parts.scheme not in {"http", "https"} or parts.netloc != host:
        raise Refusal("host_unknown")
    return host, target[len(parts.scheme) + 3 + len(parts.netloc) :]


@lru_cache(256)
def _hostname(host: str) -> str:
    """The name without its port; a name with a trailing dot is another name."""
    if host.startswith("["):
        return host[: host.find("]") + 1].lower()
    return host.partition(":")[0].lower()


def address_of(address: str, headers: dict[str, str], deps: Deps) -> str:
    """Where the request came from: the peer, or what a trusted reverse proxy says before itself."""
    proxies = deps.settings.trusted_proxies
    if not proxies:
        return address
    for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
        if not _is_trusted(address, proxies):
            return address
        if not hop.strip():
            break
        address = hop.strip()[:64]
    return address


@lru_cache(4096)
def _is_trusted(address: str, proxies: tuple[str, ...]) -> bool:
    """Whether an address is within one of these networks; a few reverse proxies ask again and again."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in ip_network(network.strip()) for network in proxies)
