"""Bodies of the admin API for installations. Secrets go in and never come out: only their names are shown."""

from typing import Annotated, Any

from pydantic import Field as Bound

from control.admin.account_models import AccountView
from control.admin.entry_models import Answer
from control.admin.server_models import ServerView
from control.credentials.standing import StandingWord
from control.http.models import BothSpellings, Change, Id, Item, Model, Moment, Name, Query, View
from control.http.paging import NamedPageQuery
from control.registry.fields import MAX_FIELDS
from control.registry.headers import MAX_VALUE
from control.registry.installation import LONGEST_ADDRESS, InstallationState, Protocol
from control.registry.owner import Scope

ValueName = Annotated[str, Bound(min_length=1, max_length=40)]
ScopeWord = Annotated[Scope, BothSpellings()]
Values = Annotated[dict[ValueName, Answer | None], Bound(max_length=MAX_FIELDS)]
Credential = Annotated[str, Bound(min_length=1, max_length=MAX_VALUE)]


class InstallationCreate(Model):
    """Install an entry for oneself, a team, the organisation, or a service account."""

    entry_id: Id
    scope: ScopeWord
    name: Name | None = Bound(
        None,
        description="By default the entry's name; for any owner but the organisation `crm@Support`. One owner's "
        "installations of an entry have different names.",
    )
    team_id: Id | None = Bound(None, description="The team, with the scope `team`.")
    oauth_client_id: Id | None = Bound(
        None, description="With the scope `service`: the OAuth client, one that acts by itself."
    )
    protocol: Protocol = Bound(
        "auto",
        description="`auto` finds out what the server speaks; `legacy` is the newest revision with `initialize` that "
        "it knows; a date is that revision and no other.",
    )
    values: Values = Bound(default_factory=dict, description="Answers to the entry's fields, by their names.")
    credential: Credential | None = Bound(
        None, description="For the credential model `static`: the key or token itself. Sealed, never shown again."
    )
    default: bool = Bound(False, description="Make it the owner's default of this entry; the first is anyway.")


class InstallationPatch(Change):
    """A change of an installation: fields that are named change."""

    name: Name
    protocol: Protocol
    values: Values = Bound(description="Answers to change, by name; null takes one away.")
    credential: Credential = Bound(description="Another credential, which replaces the present one.")
    default: bool = Bound(description="True: it becomes the owner's default, in the place of the one that was.")


class InstallationDelete(Query):
    """What may be deleted together with an installation."""

    cascade: bool = Bound(False, description="Delete the assignments that are pinned to it too.")


class InstallationQuery(NamedPageQuery):
    """Filters of the list of installations."""

    entry_id: Id | None = None
    scope: ScopeWord | None = None
    state: InstallationState | None = None
    name: Annotated[
        str | None,
        Bound(max_length=LONGEST_ADDRESS, description="Those that go by it: their name or `address`."),
    ] = None


class StandingView(View):
    """How an installation stands, in words that a person understands."""

    word: StandingWord
    cause: str = Bound(description="Why; empty for one that is ready.")
    cure: str = Bound(description="What helps; empty where nothing has to be done.")


class InstallationView(Item):
    """An installation as it is shown: its secrets by their names only."""

    entry_id: Id
    entry_slug: str
    name: Name
    address: str = Bound(
        description="The entry's slug, `@` and the owner, and for one that is not the default `/` and its name: "
        "names it wherever an installation is asked for."
    )
    default: bool = Bound(description="Whether it serves where nobody says which one of its owner is meant.")
    scope: Scope
    owner: str = Bound(description="The person's e-mail, the team's or the OAuth client's name, or `organisation`.")
    user_id: Id | None
    team_id: Id | None
    oauth_client_id: Id | None = Bound(description="The OAuth client that acts by itself, where that is the owner.")
    discovers: bool = Bound(description="Whether its entry's tools are found through it.")
    protocol: Protocol
    state: InstallationState
    state_reason: str
    standing: StandingView = Bound(
        description="How it stands: what discovery found last, whether its account at the provider is good, and "
        "whether tools of its entry changed since somebody approved them."
    )
    server: dict[str, Any]
    """What discovery saw: era, version, names, capabilities, count of tools, those that were left out, and notes; of
    the latest one also what it `added` to the entry, `changed` and found `gone`."""
    runs: ServerView | None = Bound(
        description="How its server does, where Archway runs it; null for one that runs elsewhere."
    )
    plain_values: dict[str, Answer]
    secret_names: list[str]
    bound_url: str = Bound(
        description="Secrets were given for the server at this URL and go nowhere else; empty: it is not known."
    )
    bound_origin: str
    """The origin of that URL."""
    bound_places: dict[str, str] = Bound(
        description="The header that each secret was given for, with the word before it. It goes into no other."
    )
    account: AccountView | None = Bound(description="What it holds at its server's provider; null for nothing.")
    sign_in_link: str = Bound(
        description="Where its owner signs in for it, or gives its answers, again: a page for their browser."
    )
    credential_version: int
    created_by: Id | None
    created_at: Moment
    updated_at: Moment
    discovered_at: Moment | None
    version: int
