"""SQL that writes what identity providers gave at people's own sign-ins. Called by `control/changes/kept_tokens.py`.

Each statement names the version that was read: where somebody wrote newer tokens meanwhile, nothing is written. The
lease is a column of the row and not a key of Redis, as that of an account is (`renewals.py`).
"""

from datetime import datetime

from control.store.writing import Writing


async def lease(writing: Writing, identity_id: str, version: int, owner: str, seconds: float) -> bool:
    """Whether `owner` alone asks the provider about this identity from now on, for so long."""
    row = await writing.fetch_row(
        """update identities set refresh_owner = $3, check_tried_at = now(),
               refresh_until = clock_timestamp() + make_interval(secs => $4)
           where id = $1 and tokens_version = $2 and coalesce(refresh_until <= clock_timestamp(), true)
           returning id""",
        identity_id, version, owner, seconds,
    )  # fmt: skip
    return row is not None


async def keep(writing: Writing, identity_id: str, version: int, tokens: bytes | None, ends: datetime | None) -> bool:
    """These tokens in place of those of this version, and the lease is over. False where there are newer ones.
    `ends`: when they end for good; None: they can be refreshed.
    """
    row = await writing.fetch_row(
        """update identities set tokens = $3, tokens_end_at = $4, tokens_version = tokens_version + 1,
               refresh_owner = null, refresh_until = null
           where id = $1 and tokens_version = $2 returning id""",
        identity_id, version, tokens, ends,
    )  # fmt: skip
    return row is not None


async def note_answer(writing: Writing, identity_id: str, fault: str) -> None:
    """The provider said that it knows the person; `fault`: what it said besides could not be had, or not be used."""
    await writing.execute(
        """update identities set fault = $2, checked_at = case when $2 = '' then now() else checked_at end
           where id = $1""",
        identity_id, fault,
    )  # fmt: skip


async def fail(writing: Writing, identity_id: str, owner: str, fault: str) -> None:
    """Why the provider gave no tokens, and the lease is over; only by its owner."""
    await writing.execute(
        """update identities set fault = $3, refresh_owner = null, refresh_until = null
           where id = $1 and refresh_owner = $2""",
        identity_id, owner, fault,
    )  # fmt: skip


async def forget_of_user(writing: Writing, user_id: str) -> None:
    """Nothing is kept of what any provider gave for this user."""
    await writing.execute(_forget("user_id = $1"), user_id)


async def forget_of_provider(writing: Writing, provider_id: str) -> None:
    """Nothing is kept of what this provider gave for anybody."""
    await writing.execute(_forget("provider_id = $1"), provider_id)


async def forget_ended(writing: Writing) -> None:
    """Nothing is kept that has ended and cannot be refreshed."""
    await writing.execute(_forget("tokens_end_at < now()"))


def _forget(where: str) -> str:
    return f"""update identities set tokens = null, tokens_end_at = null, tokens_version = tokens_version + 1,
                   refresh_owner = null, refresh_until = null
               where tokens is not null and {where}"""
