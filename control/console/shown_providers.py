"""An identity provider as pages show it: how it is doing, where its endpoints are, and where it sends people back to.

Called by the pages of identity providers. What may be sent where is judged in `control/registry/`; whether keys are
still good, in `control/identity/`. Functions of what the store found.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from control.identity.key_sets import key_set_of
from control.registry.identity_provider import IdentityProvider, ProviderState, endpoints_told, origin_of
from control.registry.provider_warnings import InUse, provider_warnings


@dataclass(frozen=True, slots=True)
class ForeignHost:
    """A host of endpoints that is not the issuer's own."""

    origin: str
    endpoints: tuple[str, ...]
    """What is there; none where the provider names the host no more."""
    approved: bool


@dataclass(frozen=True, slots=True)
class ShownProvider:
    """An identity provider with what was last seen of it."""

    provider: IdentityProvider
    state: ProviderState
    redirect_uri: str
    now: datetime
    use: InUse | None = None
    """What rests on it; looked up for its own page alone."""

    @property
    def health(self) -> tuple[str, str]:
        """A word for how it is doing, and the tone in which it is said."""
        endpoints = self.state.endpoints
        if not self.provider.enabled:
            return "switched off", "quiet"
        if endpoints is not None and self.provider.unapproved_hosts(endpoints):
            return "waits for approval", "warn"
        if self.state.fault:
            return ("away, its keys still hold", "warn") if self.keys_hold else ("cannot be asked", "bad")
        return ("works", "ok") if self.keys_hold else ("not asked yet", "quiet")

    @property
    def keys_hold(self) -> bool:
        """Whether tokens can be checked: keys are known, and not too old."""
        return key_set_of(self.provider, self.state, self.now.timestamp()) is not None

    @property
    def warnings(self) -> list[str]:
        """What keeps people or tokens out, or soon will, and what to do; the sentences of the admin API."""
        return provider_warnings(self.provider, self.state, self.now.timestamp(), self.use)

    @property
    def endpoints(self) -> list[tuple[str, str]]:
        """The addresses that it names, by their names; none before it was first asked."""
        return list(endpoints_told(self.state.endpoints).items())

    @property
    def hosts(self) -> list[ForeignHost]:
        """Hosts that are not the issuer's own: those that it names, and those that were approved before."""
        named: dict[str, list[str]] = {origin: [] for origin in self.provider.approved_hosts}
        for endpoint, origin in (self.state.endpoints.hosts() if self.state.endpoints else {}).items():
            if origin != origin_of(self.provider.issuer):
                named.setdefault(origin, []).append(endpoint)
        approved = self.provider.approved_hosts
        return [ForeignHost(one, tuple(found), one in approved) for one, found in sorted(named.items())]


def shown_provider(
    provider: IdentityProvider, state: ProviderState, redirect_uri: str, use: InUse | None = None
) -> ShownProvider:
    """The provider as it is shown now."""
    return ShownProvider(provider, state, redirect_uri, datetime.now(UTC), use)
