"""Takes the steps of signing in that proxies tell, and keeps them beside those that control sees itself.

Called by `listener.py`, which has checked that a proxy tells them. A proxy tells words; what they mean is said here,
where it is known which gateways there are. They are notes: nothing rests on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from control.records.sign_in_notes import SignInNotes
from control.registry.gateway import Gateway
from control.registry.identity_provider import IdentityProvider
from control.registry.sign_in_attempt import NewAttempt
from control.registry.sign_in_refusals import refusal_told
from control.store import gateway_names, identity_providers
from control.store.pool import Pool, transaction
from core.identifiers import SLUG, is_id
from core.sign_in_steps import StepsTaken, ToldStep, ToldSteps

_USER: Final = "user:"
_REFUSED: Final = "not_authenticated"


@dataclass(frozen=True, slots=True)
class StepsAtProxies:
    """Keeps what proxies tell. `public_url`: of gateways."""

    pool: Pool
    notes: SignInNotes
    public_url: str

    async def take(self, told: ToldSteps) -> StepsTaken:
        """Keep these steps; raises StoreUnavailable where the gateways cannot be looked up."""
        names = {step.gateway for step in told.steps if SLUG.fullmatch(step.gateway) or is_id(step.gateway)}
        async with transaction(self.pool, readonly=True) as connection:
            gateways = await gateway_names.by_any_names(connection, names)
            refused = {step.gateway for step in told.steps if step.word == _REFUSED} & gateways.keys()
            of_whom = {of for name in refused if (of := gateways[name].identity_provider_id) is not None}
            providers = await identity_providers.some(connection, of_whom) if of_whom else {}
        found = [
            (attempt_of(step, gateway, self.public_url, _provider_of(gateway, providers)), step.times)
            for step in told.steps
            for gateway in [gateways.get(step.gateway)]
        ]
        await self.notes.note_all(found)
        return StepsTaken(len(found))


def attempt_of(
    step: ToldStep, gateway: Gateway | None, public_url: str, provider: IdentityProvider | None = None
) -> NewAttempt:
    """What is noted of a step: it failed where it was refused, and where there is no such gateway."""
    reason, cure = "", ""
    if step.word or gateway is None:
        reason, cure = refusal_told(step.word, step.why, gateway, public_url, provider, step.asked)
    return NewAttempt(
        step=step.step,
        client=step.client,
        gateway=gateway.slug if gateway is not None else step.gateway,
        user_id=_user_of(step.principal),
        address=step.address,
        reason=reason,
        asked=step.asked,
        cure=cure,
    )


def _provider_of(gateway: Gateway | None, providers: Mapping[str, IdentityProvider]) -> IdentityProvider | None:
    return None if gateway is None else providers.get(gateway.identity_provider_id or "")


def _user_of(principal: str) -> str | None:
    identifier = principal.removeprefix(_USER)
    return identifier if principal.startswith(_USER) and is_id(identifier) else None
