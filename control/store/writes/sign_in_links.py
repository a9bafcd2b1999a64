"""SQL that writes links that sign people in. Called by `control/changes/people.py`."""

from typing import Final

from control.registry.sign_in_link import AGES, MOST_OPEN, NewLink
from control.store.rows import columns_of, values_of
from control.store.statements import listed
from control.store.writing import Writing
from core.identifiers import new_id

_COLUMNS: Final = columns_of(NewLink)
_INSERT: Final = f"""insert into sign_in_links (id, expires_at, {listed(_COLUMNS)})
    values ($1, now() + $2::interval, $3, $4, $5, $6)"""


async def insert(writing: Writing, link: NewLink) -> str:
    """The identifier of a new link. What is long over of the person's links goes, and the oldest beyond the most."""
    await writing.execute(
        """delete from sign_in_links where user_id = $1 and (expires_at <= now() - interval '30 days' or id in (
               select id from sign_in_links where user_id = $1 order by id desc offset $2))""",
        link.user_id, MOST_OPEN - 1,
    )  # fmt: skip
    link_id = new_id()
    await writing.execute(_INSERT, link_id, AGES[link.purpose], *values_of(link, _COLUMNS))
    return link_id


async def use_up(writing: Writing, link_id: str) -> None:
    """The link was used, and opens nothing any more."""
    await writing.execute("update sign_in_links set used_at = now() where id = $1 and used_at is null", link_id)


async def close_others(writing: Writing, user_id: str) -> None:
    """What is still open of a person's links is closed: they have set a password of their own."""
    await writing.execute(
        "update sign_in_links set expires_at = now() where user_id = $1 and used_at is null and expires_at > now()",
        user_id,
    )


async def delete(writing: Writing, link_id: str) -> None:
    """The link opens nothing any more, and is off the lists."""
    await writing.execute("delete from sign_in_links where id = $1", link_id)
