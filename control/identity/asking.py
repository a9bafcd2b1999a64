"""One question over HTTP to an identity provider, and its answer as a JSON object.

Called by `discovery.py`, `key_sets.py` and `token_endpoint.py`. Everything goes out through the guarded client, so a
provider's address is judged as a server's is (`ARCHWAY_UPSTREAM_NETWORKS`); redirects are not followed. Leaves out
what an answer means. No answer's text is repeated anywhere: it may hold a token.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from core.egress.addresses import AddressPolicy, PublicUrl, UrlRefused, check_url
from core.egress.client import Egress, UpstreamFault, read_capped

DEADLINE_S: Final = 5.0
MAX_BYTES: Final = 256 << 10
"""Of one answer: metadata has some kilobytes, a hundred keys of the longest kind fifty."""
_WORDS: Final = {
    "refused": "nobody answers at {host}",
    "slow": "{host} did not answer within {seconds:g} s",
    "too_large": "the answer of {host} is larger than {cap} KiB",
    "forbidden_address": "the address of {host} is not allowed: ARCHWAY_UPSTREAM_NETWORKS can open private networks",
    "tls": "the certificate of {host} is not trusted: ARCHWAY_CA_BUNDLE can name another authority",
}


class ProviderAway(Exception):
    """A provider that gave no answer which can be used; the sentence says why, for an admin. It may later."""


class ProviderRefused(Exception):
    """A provider that answered no. `error` is its own word for why (RFC 6749 section 5.2), never its sentence."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(f"the provider answered {status} {error}".rstrip())
        self.status = status
        self.error = error


class Asker:
    """Asks identity providers, under one address policy."""

    def __init__(self, egress: Egress, policy: AddressPolicy) -> None:
        self._egress, self.policy = egress, policy

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON object at an address; raises ProviderAway."""
        status, answer = await self._ask("GET", url, {"Accept": "application/json", **(headers or {})}, None)
        if status != 200 or answer is None:
            raise ProviderAway(f"{_host(url)} answered {status}, or not with a JSON object")
        return answer

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object that a form is answered with; raises ProviderRefused for 4xx, else ProviderAway."""
        status, answer = await self._ask("POST", url, {"Accept": "application/json", **headers}, body)
        if status == 200 and answer is not None:
            return answer
        if 400 <= status < 500 and status not in {404, 405, 408, 429}:
            raise ProviderRefused(status, _word(answer))
        raise ProviderAway(f"{_host(url)} answered {status}, or not with a JSON object")

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, Any] | None]:
        try:
            checked: PublicUrl = check_url(url, self.policy, purpose="address")
            async with self._egress.request(method, checked, headers, body, deadline=DEADLINE_S) as response:
                raw = await read_capped(response, MAX_BYTES)
                status = response.status
        except UrlRefused as refused:
            raise ProviderAway(str(refused)) from None
        except UpstreamFault as fault:
            raise ProviderAway(_sentence(fault, _host(url))) from fault
        return status, _object(raw)


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _word(answer: Mapping[str, Any] | None) -> str:
    """`error` of an answer, where it looks like one of RFC 6749's words."""
    word = answer.get("error") if answer else None
    return word if isinstance(word, str) and word.replace("_", "").isalpha() and len(word) <= 64 else ""


def _sentence(fault: UpstreamFault, host: str) -> str:
    words = _WORDS.get(fault.reason, "the answer of {host} cannot be read")
    return words.format(host=host, seconds=DEADLINE_S, cap=MAX_BYTES >> 10)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0][:100] or "the provider"
