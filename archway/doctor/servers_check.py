"""Checks of the servers: does PostgreSQL and Redis answer, is each new enough, and do the clocks agree."""

import asyncio
import time

import asyncpg
import redis

from archway.doctor.finding import Finding

OLDEST_POSTGRES = 15
OLDEST_REDIS = (7, 0)
DEADLINE_S = 5.0
MOST_SKEW_S = 30.0
"""Calls between the planes carry tokens of 30 seconds, with a leeway of 60 for clocks that differ."""


def check_database(url: str, within_s: float = DEADLINE_S) -> list[Finding]:
    """Whether the server is reachable and new enough, and its clock agrees with ours."""
    try:
        version, now = asyncio.run(_ask_database(url, within_s))
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as why:
        return [
            Finding(
                f"PostgreSQL does not answer: {_said(why)}",
                "control needs it",
                "check ARCHWAY_DATABASE_URL and the server",
            )
        ]
    findings = _skew("PostgreSQL", now)
    if version < OLDEST_POSTGRES:
        findings.append(
            Finding(f"PostgreSQL has version {version}", f"Archway needs {OLDEST_POSTGRES}", "upgrade the server")
        )
    return findings


def check_redis(url: str, within_s: float = DEADLINE_S) -> list[Finding]:
    """Whether the server is reachable and new enough, and its clock agrees with ours."""
    try:
        with redis.Redis.from_url(url, socket_timeout=within_s, socket_connect_timeout=within_s) as client:
            told = client.info("server")
            seconds, micros = client.time()
    except (OSError, ValueError, redis.RedisError) as why:
        return [
            Finding(
                f"Redis does not answer: {_said(why)}",
                "revocations then take 60 s",
                "check ARCHWAY_REDIS_URL and the server",
            )
        ]
    findings = _skew("Redis", float(seconds) + float(micros) / 1e6)
    version = str(told.get("redis_version", "0"))
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST_REDIS:
        findings.append(
            Finding(f"Redis has version {version}", "Archway needs Redis or Valkey 7.0", "upgrade the server")
        )
    return findings


async def _ask_database(url: str, within_s: float) -> tuple[int, float]:
    connection = await asyncpg.connect(url, timeout=within_s, command_timeout=within_s)
    try:
        now = await connection.fetchval("select extract(epoch from clock_timestamp())::float8")
        return int(connection.get_server_version().major), float(now)
    finally:
        await connection.close(timeout=DEADLINE_S)


def _skew(server: str, now: float) -> list[Finding]:
    skew = abs(now - time.time())
    if skew <= MOST_SKEW_S:
        return []
    return [
        Finding(
            f"{server}'s clock differs from ours by {skew:.0f} s",
            "tokens expire too early or too late",
            "run a time service such as chrony on both",
        )
    ]


def _said(why: BaseException) -> str:
    """One line, without the address's password: drivers may quote what they were given."""
    text = str(why).splitlines()[0] if str(why) else type(why).__name__
    return text if "://" not in text else type(why).__name__
