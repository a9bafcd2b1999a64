"""One question over HTTP to somebody's OAuth server (an identity provider, or the authorization server of an
upstream), and its answer as a JSON object.

Called by `control/identity/` and `control/credentials/upstream_oauth/`. Everything goes out through the guarded
client, so a provider's address is judged as a server's is (`ARCHWAY_UPSTREAM_NETWORKS`); redirects are not followed.
Leaves out what an answer means. No answer's text is repeated anywhere: it may hold a token.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from core.egress.addresses import AddressPolicy, PublicUrl, UrlRefused, check_url
from core.egress.client import Egress, UpstreamFault, read_capped

DEADLINE_S: Final = 5.0
MAX_BYTES: Final = 256 << 10
"""Of one answer: metadata has some kilobytes, a hundred keys of the longest kind fifty."""
LONGEST_RETRY_S: Final = 3600.0
"""A longer `Retry-After` is taken as this: a provider does not put us to sleep for days."""
_WORDS: Final = {
    "refused": "nobody answers at {host}",
    "slow": "{host} did not answer within {seconds:g} s",
    "too_large": "the answer of {host} is larger than {cap} KiB",
    "forbidden_address": "the address of {host} is not allowed: ARCHWAY_UPSTREAM_NETWORKS can open private networks",
    "tls": "the certificate of {host} is not trusted: ARCHWAY_CA_BUNDLE can name another authority",
}


class ProviderAway(Exception):
    """A provider that gave no answer which can be used; the sentence says why, for an admin. It may later.

    `retry_after`: the seconds after which it wants to be asked again; 0: it did not say.
    """

    def __init__(self, sentence: str, retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class ProviderRefused(Exception):
    """A provider that answered no. `error` is its own word for why (RFC 6749 section 5.2), never its sentence."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(f"the provider answered {status} {error}".rstrip())
        self.status = status
        self.error = error


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. It may hold tokens, so none of it is shown."""

    status: int
    content_type: str
    """In lower case, without its parameters."""
    retry_after: float
    """Seconds, as `Retry-After` says them; 0 where it does not."""
    challenges: tuple[str, ...]
    """Each `WWW-Authenticate` header, as it stands."""
    location: str
    """Where a redirect leads, which nobody has followed or checked; '' for none."""
    raw: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status})"

    def json(self) -> dict[str, Any] | None:
        """The JSON object that it is; None for anything else."""
        return _object(self.raw)


class Asker:
    """Asks providers, under one address policy. `of_public`: who asks at public addresses alone; None where nobody
    does. It is for addresses which only somebody named who may want us to look around inside.
    """

    def __init__(self, egress: Egress, policy: AddressPolicy, of_public: "Asker | None" = None) -> None:
        self._egress, self.policy = egress, policy
        self.of_public = of_public if policy.allowed else self

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON object at an address; raises ProviderAway."""
        answer = await self.ask("GET", url, headers or {})
        found = answer.json()
        if answer.status != 200 or found is None:
            raise unusable(url, answer)
        return found

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object that a form is answered with; raises ProviderRefused for 4xx, else ProviderAway."""
        answer = await self.ask("POST", url, headers, body)
        found = answer.json()
        if answer.status == 200 and found is not None:
            return found
        if is_refusal(answer.status):
            raise ProviderRefused(answer.status, error_word(found))
        raise unusable(url, answer)

    async def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """The answer, of whatever status; raises ProviderAway where none comes in time, or the address is refused."""
        try:
            checked: PublicUrl = check_url(url, self.policy, purpose="address")
            sent = {"Accept": "application/json", **headers}
            async with self._egress.request(method, checked, sent, body, deadline=DEADLINE_S) as response:
                raw = await read_capped(response, MAX_BYTES)
                return Answer(
                    status=response.status,
                    content_type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
                    retry_after=seconds_until(response.headers.get("Retry-After"), response.headers.get("Date")),
                    challenges=tuple(response.headers.getall("WWW-Authenticate", ())),
                    location=response.headers.get("Location", ""),
                    raw=raw,
                )
        except UrlRefused as refused:
            raise ProviderAway(str(refused)) from None
        except UpstreamFault as fault:
            raise ProviderAway(_sentence(fault, host_of(url))) from fault


def is_refusal(status: int) -> bool:
    """Whether this status is a no; others say that the provider is away, or asked too often."""
    return 400 <= status < 500 and status not in {404, 405, 408, 429}


def unusable(url: str, answer: Answer) -> ProviderAway:
    """The sentence on an answer that says nothing."""
    return ProviderAway(f"{host_of(url)} answered {answer.status}, or not with a JSON object", answer.retry_after)


def error_word(answer: Mapping[str, Any] | None) -> str:
    """`error` of an answer, where it looks like one of RFC 6749's words; '' else."""
    word = answer.get("error") if answer else None
    return (
        word
        if isinstance(word, str) and word.replace("_", "").isalpha() and word.isascii() and len(word) <= 64
        else ""
    )


def seconds_until(retry_after: str | None, date: str | None) -> float:
    """`Retry-After` in seconds, at most an hour: a number, or a moment counted from the answer's own `Date`. 0 for
    what cannot be read.
    """
    text = (retry_after or "").strip()
    if text.isdecimal() and text.isascii():
        return min(float(text[:10]), LONGEST_RETRY_S)
    try:
        then, now = (parsedate_to_datetime(one or "") for one in (text, date))
    except (ValueError, TypeError, IndexError):
        return 0.0
    seconds = (then.replace(tzinfo=then.tzinfo or UTC) - now.replace(tzinfo=now.tzinfo or UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_S)


def host_of(url: str) -> str:
    """The host and port of an address, for sentences."""
    return url.partition("://")[2].partition("/")[0][:100] or "the provider"


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _sentence(fault: UpstreamFault, host: str) -> str:
    words = _WORDS.get(fault.reason, "the answer of {host} cannot be read")
    return words.format(host=host, seconds=DEADLINE_S, cap=MAX_BYTES >> 10)
