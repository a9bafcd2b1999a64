"""As whom a server is asked what it offers, where it gets another credential for each caller: nobody calls then.

Called by `discover.py`. It is the person who asked, or else who made the installation, through what their identity
provider gave at their own sign-in. Where they have nothing that fits, the server is asked without a credential: many
tell their tools to anybody. Whose the credential was is told where that was refused.
"""

from collections.abc import Collection

from msgspec.structs import replace

from control.credentials.calling import Calling
from control.credentials.usable import Usable
from control.registry.account import Account
from control.registry.credential import ForOneCaller
from control.registry.entry import Entry
from control.registry.installation import Installation
from control.registry.row_seals import OpenedSecrets
from core.probes import Probe
from core.resolve import InstallationRefusal, ResolvedInstallation

_NOBODY = "It gets another credential for each caller, and was asked without any: nobody is known who asks."
_AS_A_PERSON = "It was asked with what the identity provider gives for the person who asks, and did not take it."


async def opened_for(
    usable: Usable,
    entry: Entry,
    installation: Installation,
    account: Account | None,
    person: str | None,
    *,
    passing: Collection[str] = (),
) -> tuple[tuple[ResolvedInstallation, OpenedSecrets] | InstallationRefusal, str]:
    """The installation ready to be asked, or why not; and a sentence on whose credential it is, '' for its own.

    `person`: the identifier of a user. `passing`: refusals that another try may not meet, and which are told.
    """
    if not isinstance(entry.credential, ForOneCaller):
        return await usable.opened(entry, installation, account), ""
    whose = _NOBODY
    if person:
        calling = Calling.of_person(person)
        found = await usable.opened(entry, installation, account, calling=calling)
        if not isinstance(found, InstallationRefusal) or found.code in passing:
            return found, _AS_A_PERSON
        whose = f"It was asked without a credential, since there is none of the person who asks: {found.sentence}"
    return await usable.opened(entry, installation, account), whose


def refused_as(probe: Probe, whose: str) -> Probe:
    """What the server said, with whose credential it refused. The installation has none of its own that could be
    given again, so it is the server that could not be asked.
    """
    if not whose or probe.fault != "upstream_credential":
        return probe
    return replace(probe, fault="upstream_status", sentence=f"{whose} {probe.sentence}".rstrip())
