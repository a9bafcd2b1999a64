"""Objects of the registry as one caller may see them: what they may not see is not there.

Called by the changes here, and by the operations of the admin API that read. Functions of what the store found.
"""

from collections.abc import Iterable

from control.changes.refusals import NotAllowed, NotThere
from control.registry.access import Caller
from control.registry.actions import Action, lacking
from control.registry.entry import Entry
from control.registry.gateway import Gateway
from control.registry.installation import Installation
from control.registry.installing import may_see
from control.registry.pull_secret import KeptPullSecret
from control.registry.team_entries import entry_owner
from control.registry.visibility import sees


def visible_entry(found: Entry | None, caller: Caller, action: Action = "entry:read") -> Entry:
    """The entry; raises NotThere. `action`: another that shows something of it, such as `tool:read`."""
    if found is None or not sees(caller, action, found.visibility, found.teams):
        raise NotThere("entry")
    return found


def seen_entries(found: Iterable[Entry], caller: Caller) -> list[Entry]:
    """Those that the caller may see."""
    return [one for one in found if sees(caller, "entry:read", one.visibility, one.teams)]


def managed_entry(found: Entry | None, caller: Caller, action: Action) -> Entry:
    """The entry; raises NotThere, or NotAllowed for a caller who may not do this to it."""
    if found is not None and caller.may_for(action, entry_owner(found)):
        return found
    visible_entry(found, caller)
    raise NotAllowed(lacking(action))


def visible_installation(found: Installation | None, caller: Caller) -> Installation:
    """The installation; raises NotThere."""
    if found is None or not may_see(caller, found.owner):
        raise NotThere("installation")
    return found


def visible_gateway(found: Gateway | None, caller: Caller, action: Action = "gateway:read") -> Gateway:
    """The gateway; raises NotThere. `action`: another that shows something of it, such as `assignment:read`."""
    if found is None or not sees(caller, action, found.visibility, found.teams, found.owner_id):
        raise NotThere("gateway")
    return found


def visible_pull_secret(found: KeptPullSecret | None, caller: Caller) -> KeptPullSecret:
    """The pull secret; raises NotThere."""
    if found is None or not caller.may_for("pull_secret:read", found.owner):
        raise NotThere("pull secret")
    return found
