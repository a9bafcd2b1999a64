"""SQL that writes who people are at identity providers. Called by `control/changes/identities.py`."""

from typing import Final

from control.registry.actions import Role
from control.registry.identity import Identity, SignInGiven
from control.store.identities import COLUMNS
from control.store.rows import made
from control.store.statements import listed
from control.store.writing import Writing
from core.identifiers import new_id

_RETURNING: Final = f" returning {listed(COLUMNS)}"


async def insert(writing: Writing, provider_id: str, issuer: str, subject: str, user_id: str, email: str) -> Identity:
    """A user is known by this subject from now on; StoreConflict `identities_subject`."""
    row = await writing.fetch_row(
        "insert into identities (id, provider_id, issuer, subject, user_id, email) values ($1, $2, $3, $4, $5, $6)"
        + _RETURNING,
        new_id(), provider_id, issuer, subject, user_id, email,
    )  # fmt: skip
    return made(Identity, row)


async def delete(writing: Writing, identity_id: str) -> None:
    """The user is known by this subject no more."""
    await writing.execute("delete from identities where id = $1", identity_id)


async def set_signed_in(writing: Writing, identity_id: str, email: str, given: SignInGiven) -> Identity:
    """The person signed in just now, and this is what the provider gave and said."""
    row = await writing.fetch_row(
        """update identities set signed_in_at = now(), checked_at = now(), check_tried_at = null, gone_at = null,
               fault = '', email = $2, tokens = $3, tokens_end_at = $4, tokens_version = tokens_version + 1,
               claims = $5, refresh_owner = null, refresh_until = null
           where id = $1"""
        + _RETURNING,
        identity_id, email, given.tokens, given.tokens_end_at, given.claims,
    )  # fmt: skip
    return made(Identity, row)


async def set_gone(writing: Writing, identity_id: str, version: int) -> bool:
    """The provider knows the person no more. False where they have signed in meanwhile, so that there are newer
    tokens than of this version.
    """
    row = await writing.fetch_row(
        """update identities set gone_at = now(), tokens = null, tokens_end_at = null, fault = '',
               tokens_version = tokens_version + 1, refresh_owner = null, refresh_until = null
           where id = $1 and tokens_version = $2 returning id""",
        identity_id, version,
    )  # fmt: skip
    return row is not None


async def set_role_given(writing: Writing, identity_id: str, role: Role | None) -> None:
    """The role that the provider's claims gave."""
    await writing.execute("update identities set role_given = $2 where id = $1", identity_id, role)


async def note_provided(writing: Writing, team_id: str, user_id: str, provider_id: str) -> None:
    """The user is in the team because the provider's claims say so."""
    await writing.execute(
        """insert into provided_memberships (team_id, user_id, provider_id) values ($1, $2, $3)
           on conflict (team_id, user_id) do update set provider_id = excluded.provider_id""",
        team_id, user_id, provider_id,
    )  # fmt: skip


async def set_shut_out_by(writing: Writing, user_id: str, provider_id: str | None) -> None:
    """Which provider's silence shut the user out; None: nobody's."""
    await writing.execute("update users set shut_out_by = $2 where id = $1", user_id, provider_id)


async def use_state(writing: Writing, digest: str, older_s: float) -> bool:
    """Whether this state has not come back before; it has now. Those that nobody could bring any more are deleted."""
    await writing.execute("delete from used_states where used_at < now() - make_interval(secs => $1)", older_s)
    row = await writing.fetch_row(
        "insert into used_states (digest) values ($1) on conflict do nothing returning digest", digest
    )
    return row is not None
