"""The permissions: one row for each action of the admin API, with who holds it. The only list of them that there is.

An action is `resource:action`. It is held for the whole organisation, for one team, or by everybody for what is their
own. `control/admin/permissions.py` names the action of every route; `access.py` asks here what a caller holds, and
`docs/administering/permissions.md` is made of this table. Leaves out whose an object is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, get_args

Role = Literal["admin", "editor", "member"]
"""A person's role in the organisation, or in one team. Each holds what those after it hold."""
Action = Literal[
    "api:read", "deployment:read",
    "user:list", "user:read", "user:create", "user:update", "user:disable", "user:delete",
    "team:read", "team:create", "team:update", "team:delete",
    "member:read", "member:update", "member:delete",
    "role:read", "role:create", "role:update", "role:delete", "role:grant",
    "link:create", "link:read", "link:delete",
    "session:read", "session:delete",
    "sign_in:read",
    "token:read", "token:create", "token:update", "token:revoke", "token:delete",
    "oauth_client:read", "oauth_client:create", "oauth_client:update", "oauth_client:disable", "oauth_client:delete",
    "grant:read", "grant:revoke",
    "entry:read", "entry:create", "entry:run", "entry:override", "entry:update", "entry:delete",
    "tool:read", "tool:update",
    "installation:read", "installation:create", "installation:share", "installation:update", "installation:discover",
    "installation:delete",
    "pull_secret:read", "pull_secret:create", "pull_secret:update", "pull_secret:delete",
    "environment:read", "environment:create", "environment:update", "environment:delete",
    "environment:deploy-to-restricted",
    "egress_preset:read", "egress_preset:create", "egress_preset:update", "egress_preset:delete",
    "gateway:read", "gateway:create", "gateway:update", "gateway:delete",
    "gateway:explain",
    "assignment:read", "assignment:create", "assignment:update", "assignment:delete",
    "identity_provider:read", "identity_provider:create", "identity_provider:update", "identity_provider:delete",
    "record:read", "gap:read", "audit:read",
]  # fmt: skip
"""The name of a permission."""


@dataclass(frozen=True, slots=True)
class Held:
    """What an action lets somebody do, and who holds it without being given a set of permissions."""

    meaning: str
    role: Role = "admin"
    """The least role in the organisation that holds it for everything and everybody."""
    team: Role | None = None
    """The least role in a team that holds it for that team; None: it cannot be held for a team."""
    own: bool = False
    """Whether everybody holds it for what is their own."""
    shown: bool = False
    """Whether everybody holds it for what is shown to them (`visibility.py`)."""
    reserved: bool = False
    """Whether it is the role admin's alone: no set of permissions may have it."""


ACTIONS: Final[Mapping[Action, Held]] = MappingProxyType(
    {
        "api:read": Held("see who one is, what one may do, and which version runs", role="member"),
        "deployment:read": Held("see how much there is of what, also of what one does not see"),
        "user:list": Held("list people, to choose among them", team="admin"),
        "user:read": Held("see a person", own=True),
        "user:create": Held("let a person in"),
        "user:update": Held("change a person's name, address or role"),
        "user:disable": Held("shut a person out, and let them in again"),
        "user:delete": Held("delete a person with what is theirs"),
        "team:read": Held("see a team", role="editor", team="member"),
        "team:create": Held("make a team"),
        "team:update": Held("rename and describe a team"),
        "team:delete": Held("delete a team with what is its own"),
        "member:read": Held("see who is in a team", team="member"),
        "member:update": Held("take a person into a team, and change their role there", team="admin"),
        "member:delete": Held("take a person out of a team", team="admin"),
        "role:read": Held("see which roles there are", role="member"),
        "role:create": Held("make a role: a set of permissions"),
        "role:update": Held("change a role, and what it holds"),
        "role:delete": Held("delete a role"),
        "role:grant": Held("give roles, take them away, and see who holds which", team="admin"),
        "link:create": Held("make a link that signs a person in once, and lets them set a password", reserved=True),
        "link:read": Held("see which links there are, never their secrets"),
        "link:delete": Held("take a link back"),
        "session:read": Held("see in which browsers somebody is signed in", own=True),
        "session:delete": Held("end a browser session, or all of a person", own=True),
        "sign_in:read": Held("see how attempts to sign in went, and why they failed", own=True),
        "token:read": Held("see a token, never its secret", team="admin", own=True),
        "token:create": Held("make a token, for whomever, and let one live longer", reserved=True),
        "token:update": Held("rename a token, and let it end earlier", team="admin", own=True),
        "token:revoke": Held("revoke a token, or all tokens of a person", team="admin", own=True),
        "token:delete": Held("revoke a token and take it off the lists", team="admin", own=True),
        "oauth_client:read": Held("see an OAuth client, never its secret", role="editor"),
        "oauth_client:create": Held("register an OAuth client, for people or acting by itself", reserved=True),
        "oauth_client:update": Held("change an OAuth client that was registered here, and renew its secret",
                                    reserved=True),
        "oauth_client:disable": Held("shut an OAuth client out, let it in again, and take back what it was allowed"),
        "oauth_client:delete": Held("delete an OAuth client with what it was allowed"),
        "grant:read": Held("see what a person allowed OAuth clients", own=True),
        "grant:revoke": Held("take back what a person allowed OAuth clients", own=True),
        "entry:read": Held("see an entry", role="editor", shown=True),
        "entry:create": Held("approve a server: make an entry", role="editor", team="editor"),
        "entry:run": Held("say what a server that Archway runs starts: code on its machine or in its cluster"),
        "entry:override": Held("say in YAML what the Deployment of such a server has beyond that, within limits; "
                               "beside `entry:run`"),
        "entry:update": Held("change an entry", role="editor", team="editor"),
        "entry:delete": Held("delete an entry", role="editor", team="editor"),
        "tool:read": Held("see the tools that an entry keeps", role="editor", shown=True),
        "tool:update": Held("put a tool into quarantine, release it, acknowledge how it changed",
                            role="editor", team="editor"),
        "installation:read": Held("see an installation, never its secrets",
                                  role="editor", team="member", own=True, shown=True),
        "installation:create": Held("install an entry for oneself, and fill it in", role="editor", own=True),
        "installation:share": Held("install an entry for a team or the organisation, whose members then call with "
                                   "it, and with `oauth_client:update` for a service account",
                                   role="editor", team="editor"),
        "installation:update": Held("change an installation, fill it in again, and pin tools to it",
                                    role="editor", team="editor", own=True),
        "installation:discover": Held("ask a server again what it offers", role="editor", team="editor", own=True),
        "installation:delete": Held("delete an installation and its secrets", role="editor", team="editor", own=True),
        "pull_secret:read": Held("see a pull secret, never its password", role="editor", team="member"),
        "pull_secret:create": Held("keep a credential of an image registry, for servers that run here",
                                   role="editor", team="editor"),
        "pull_secret:update": Held("change a pull secret, and give its password again", role="editor", team="editor"),
        "pull_secret:delete": Held("delete a pull secret", role="editor", team="editor"),
        "environment:read": Held("see which environments there are", role="member"),
        "environment:create": Held("make an environment"),
        "environment:update": Held("change an environment, and restrict it"),
        "environment:delete": Held("delete an environment that nothing is in"),
        "environment:deploy-to-restricted": Held("put entries into restricted environments, take them out, change "
                                                 "what runs there, and lift the restriction"),
        "egress_preset:read": Held("see the egress presets, which environments name", role="member"),
        "egress_preset:create": Held("make an egress preset"),
        "egress_preset:update": Held("change an egress preset, and so what the servers may reach whose environments "
                                     "name it"),
        "egress_preset:delete": Held("delete an egress preset that no environment names"),
        "gateway:read": Held("see a gateway", role="editor", own=True, shown=True),
        "gateway:create": Held("make a gateway; one's own are personal ones", role="editor", own=True),
        "gateway:update": Held("change a gateway", role="editor", own=True),
        "gateway:delete": Held("delete a gateway", role="editor", own=True),
        "gateway:explain": Held("see what would become of somebody's call, and why; of one's own, everybody does"),
        "assignment:read": Held("see which tools a gateway shows", role="editor", own=True, shown=True),
        "assignment:create": Held("assign tools to a gateway", role="editor", own=True),
        "assignment:update": Held("rename an assigned tool, or pin it to another installation",
                                  role="editor", own=True),
        "assignment:delete": Held("take a tool off a gateway", role="editor", own=True),
        "identity_provider:read": Held("see the identity providers, never a secret", role="editor"),
        "identity_provider:create": Held("let people sign in with an identity provider, and gateways take its tokens",
                                         reserved=True),
        "identity_provider:update": Held("change an identity provider, and what it may give", reserved=True),
        "identity_provider:delete": Held("delete an identity provider, and unlink a person from it", reserved=True),
        "record:read": Held("read records of calls; a team's are those of its tokens", team="admin", own=True),
        "gap:read": Held("see which records never arrived"),
        "audit:read": Held("read the audit trail"),
    }
)  # fmt: skip
"""Every permission, in the order of the page."""
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""From the one that holds most."""


@lru_cache(maxsize=8)
def permissions_of(role: str) -> frozenset[Action]:
    """What a role in the organisation holds, for everything in it; nothing for a role that this version does not
    know.
    """
    return frozenset(action for action, held in ACTIONS.items() if _reaches(role, held.role))


@lru_cache(maxsize=8)
def team_permissions_of(role: str) -> frozenset[Action]:
    """What a role in a team holds, for that team; nothing for a role that this version does not know."""
    return frozenset(action for action, held in ACTIONS.items() if held.team and _reaches(role, held.team))


def _reaches(role: str, least: Role) -> bool:
    return role in ROLES[: ROLES.index(least) + 1]


def lacking(action: Action) -> str:
    """The sentence for somebody who does not hold an action."""
    return f"This needs {action} ({ACTIONS[action].meaning}), which you do not hold; ask an admin."
