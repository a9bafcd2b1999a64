"""A migration that takes away what the version before uses is named so (`NNNN_name.contract.sql`)."""

from __future__ import annotations

import re

import pytest

from control.store.migrate import Migration, read_folder

FIRST = 31
"""Up to this one no version was released that somebody could go back to."""
TAKES_AWAY = re.compile(
    r"drop\s+(table|column|view|function|trigger|type)"
    r"|rename\s+(column\s+\w+\s+)?to"
    r"|alter\s+column\s+\w+\s+(set\s+not\s+null|(set\s+data\s+)?type)",
    re.IGNORECASE,
)


def takes_away(sql: str) -> bool:
    return TAKES_AWAY.search(re.sub(r"--.*", "", sql)) is not None


def test_migrations_after_the_first_release_take_away_only_where_their_name_says_so() -> None:
    unnamed = [one.name for one in read_folder() if one.number > FIRST and not one.contracts and takes_away(one.sql)]
    assert unnamed == []


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("alter table a drop column b;", True),
        ("alter table a rename column b to c;", True),
        ("alter table a rename to c;", True),
        ("alter table a alter column b set not null;", True),
        ("alter table a alter column b type bigint;", True),
        ("DROP TABLE a;", True),
        ("alter table a add column b int not null default 0;", False),
        ("alter table a drop constraint b; -- drop column c", False),
        ("create index a on b (c);", False),
    ],
)
def test_what_takes_away_is_recognised(sql: str, found: bool) -> None:
    assert takes_away(sql) is found


def test_a_file_says_in_its_name_that_it_takes_away() -> None:
    assert Migration(32, "0032_old_columns.contract.sql", "").contracts
    assert not Migration(32, "0032_contract.sql", "").contracts
