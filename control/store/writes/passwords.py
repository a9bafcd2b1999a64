"""SQL that writes passwords' hashes. Called by `control/changes/people.py`."""

from control.registry.password import KeptPassword
from control.store.rows import made
from control.store.writing import Writing


async def put(writing: Writing, user_id: str, hashed: str) -> KeptPassword:
    """The person has this password from now on."""
    row = await writing.fetch_row(
        """insert into passwords (user_id, hash) values ($1, $2)
           on conflict (user_id) do update set hash = excluded.hash, changed_at = now()
           returning user_id, hash, changed_at""",
        user_id, hashed,
    )  # fmt: skip
    return made(KeptPassword, row)


async def replace_hash(writing: Writing, user_id: str, before: str, after: str) -> None:
    """The same password, hashed as we do it now; nothing where it was changed meanwhile."""
    await writing.execute("update passwords set hash = $3 where user_id = $1 and hash = $2", user_id, before, after)
