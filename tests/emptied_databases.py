"""Databases for tests: made of a template that has our schema, and emptied after a test so that the next has them.

A copy of the template is some thousand files; emptying is a statement for each table that has rows. A database is
given on only if it is then as the template: the same relations, the same first rows, sequences at their beginnings.
Any other is dropped. Called by `fixtures_postgres.py`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, Protocol

import asyncpg

from control.store.migrate import migrate

TEMPLATE: Final = "archway_template"
_RELATIONS: Final = """
    select string_agg(c.oid || ' ' || c.relname || ' ' || c.relfilenode, ',' order by c.oid)
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind <> 'S'
"""
"""Another text after any statement that changes the schema, or that truncates."""
_TABLES: Final = """
    select quote_ident(c.relname) from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by c.relname
"""
_TOUCHED: Final = """
    select array_agg(quote_ident(c.relname)::text) from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and pg_relation_size(c.oid) > 0
"""
"""Tables that have rows, or had some."""
_OTHERS_END: Final = """
    select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""
_SEQUENCES: Final = """
    select string_agg(format('alter sequence %I restart', sequencename), '; ') from pg_sequences
    where schemaname = 'public' and last_value is not null
"""


@dataclass(frozen=True, slots=True)
class Template:
    """What a database is compared with."""

    relations: str
    rows: dict[str, str | None]
    """All rows of each table, as JSON; None for a table without any."""


class Server(Protocol):
    """A running server, as far as it is needed here."""

    template: Template | None

    def dsn(self, database: str = "postgres") -> str: ...


async def make_template(server: Server) -> None:
    """The database with our schema that all others are copies of."""
    await _run(server, f"create database {TEMPLATE}")
    await migrate(server.dsn(TEMPLATE))


async def made_of_template(server: Server) -> str:
    """The name of a new database."""
    name = f"test_{secrets.token_hex(6)}"
    await _run(server, f"create database {name} template {TEMPLATE} strategy file_copy")
    return name


async def is_emptied(server: Server, name: str) -> bool:
    """Empty the database, so that it is as new; False where that cannot be, and it was dropped instead."""
    if server.template is None:
        server.template = await _looked_at(server)
    try:
        if await _empty(server, server.template, name):
            return True
    except (OSError, TimeoutError, asyncpg.PostgresError):
        pass
    await _run(server, f"drop database if exists {name} with (force)")
    return False


async def _looked_at(server: Server) -> Template:
    connection = await asyncpg.connect(server.dsn(TEMPLATE), timeout=60, command_timeout=20)
    try:
        tables = [row[0] for row in await connection.fetch(_TABLES)]
        relations = await connection.fetchval(_RELATIONS)
        return Template(relations, {table: await connection.fetchval(_rows_of(table)) for table in tables})
    finally:
        await connection.close(timeout=30)


async def _empty(server: Server, template: Template, name: str) -> bool:
    connection = await asyncpg.connect(server.dsn(name), timeout=60, command_timeout=20)
    try:
        relations = await connection.fetchval(f"{_RELATIONS} and ({_OTHERS_END}) >= 0")
        if relations != template.relations:
            return False
        statements = ["set session_replication_role = replica"]  # no foreign keys, no triggers
        touched = await connection.fetchval(_TOUCHED)
        for table in touched or ():
            statements.append(f"delete from {table}")
            if rows := template.rows.get(table):
                told = rows.replace("'", "''")
                statements.append(
                    f"insert into {table} select * from jsonb_populate_recordset(null::{table}, '{told}')"
                )
        statements.append(await connection.fetchval(_SEQUENCES) or "select 1")
        await connection.execute("; ".join(statements))
        return True
    finally:
        await connection.close(timeout=30)


def _rows_of(table: str) -> str:
    return f"select jsonb_agg(t order by t.ctid)::text from {table} t"


async def _run(server: Server, sql: str) -> None:
    connection = await asyncpg.connect(server.dsn(), timeout=60)
    try:
        await connection.execute(sql)
    finally:
        await connection.close(timeout=30)
