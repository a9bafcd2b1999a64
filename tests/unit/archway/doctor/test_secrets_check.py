import asyncio
import uuid

import asyncpg
import pytest

from archway.doctor.secrets_check import check_secrets
from control.registry.row_seals import RowSeals
from core.keys import new_key, parse_key_ring
from tests.fixtures_postgres import database, postgres  # noqa: F401 - fixtures

KEY = new_key()


def sealed_with(key, entry, installation):
    seals = RowSeals(parse_key_ring("ARCHWAY_SECRET_KEY", key))
    return seals.fixed_headers(entry, {"x-tenant": "one"}), seals.secret_values(
        installation, {"credential": "s3cret"}
    )


async def fill(url, key):
    entry, installation = str(uuid.uuid4()), str(uuid.uuid4())
    headers, values = sealed_with(key, entry, installation)
    connection = await asyncpg.connect(url)
    await connection.execute(
        "insert into entries (id, slug, name, kind, url, credential, fixed_headers)"
        " values ($1, 'crm', 'CRM', 'remote', 'http://crm', '{\"kind\": \"none\"}', $2)",
        entry,
        headers,
    )
    await connection.execute(
        "insert into installations (id, entry_id, name, scope, bound_origin, secret_values)"
        " values ($1, $2, 'Our CRM', 'organisation', 'http://crm', $3)",
        installation,
        entry,
        values,
    )
    await connection.close()


@pytest.fixture
def filled(database):  # noqa: F811 - a fixture
    asyncio.run(fill(database, KEY))
    return database


def test_secrets_that_open_are_no_finding(filled):
    assert check_secrets(filled, KEY, "of the environment") == []


def test_secrets_that_another_key_sealed_are_named_with_the_cure(filled):
    (finding,) = check_secrets(filled, new_key(), "of the environment")

    assert finding.wrong
    assert "installation Our CRM, entry crm" in finding.what
    assert "ARCHWAY_SECRET_KEY" in finding.what
    assert "--credential" in finding.cure
    assert "s3cret" not in finding.line


def test_a_database_that_is_away_or_empty_is_told_by_other_checks(postgres):  # noqa: F811 - a fixture
    assert check_secrets("postgresql://127.0.0.1:1/x", KEY, "") == []
    assert check_secrets(postgres.dsn(), KEY, "") == []
