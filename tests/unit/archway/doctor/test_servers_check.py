import pytest

from archway.doctor import servers_check
from archway.doctor.servers_check import check_database, check_redis
from tests.fixtures_postgres import database, postgres  # noqa: F401 - fixtures
from tests.fixtures_redis import _session_redis, redis_server  # noqa: F401 - fixtures


@pytest.fixture
def database_url(postgres):  # noqa: F811 - a fixture
    return postgres.dsn()


def test_a_postgresql_that_answers_is_good(database_url):
    assert check_database(database_url) == []


def test_a_redis_that_answers_is_good(redis_server):  # noqa: F811 - a fixture
    assert check_redis(redis_server.url) == []


def test_a_postgresql_that_is_away_is_wrong_and_its_password_is_not_told():
    (finding,) = check_database("postgresql://user:hunter2@127.0.0.1:1/x")

    assert finding.wrong
    assert "hunter2" not in finding.line


def test_a_redis_that_is_away_is_wrong_and_its_password_is_not_told():
    (finding,) = check_redis("redis://:hunter2@127.0.0.1:1/0")

    assert finding.wrong
    assert "hunter2" not in finding.line


def test_servers_that_are_too_old_are_named_with_the_version_that_is_needed(database_url, redis_server, monkeypatch):  # noqa: F811 - a fixture
    monkeypatch.setattr(servers_check, "OLDEST_POSTGRES", 99)
    monkeypatch.setattr(servers_check, "OLDEST_REDIS", (99, 0))

    assert "Archway needs 99" in check_database(database_url)[0].line
    assert "Redis has version" in check_redis(redis_server.url)[0].what


def test_a_clock_that_is_minutes_off_is_wrong(database_url, monkeypatch):
    monkeypatch.setattr(servers_check, "MOST_SKEW_S", -1.0)

    (finding,) = check_database(database_url)

    assert "clock differs" in finding.what
