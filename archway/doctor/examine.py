"""The whole examination, check by check, of one environment and one state folder."""

from collections.abc import Mapping

from archway.admin_client import AdminApi, Problem, Unreachable
from archway.doctor.finding import Finding, note
from archway.doctor.listeners import check_ports
from archway.doctor.machine import check_python, check_state
from archway.doctor.secrets_check import SECRET_KEY, check_secrets
from archway.doctor.servers_check import check_database, check_redis
from archway.doctor.settings_check import check_needed, check_settings
from archway.private_files import read_json
from archway.status.facts import Facts, gather
from archway.up import postgres, redis
from archway.up.first_setup import Gone, finished
from archway.up.keys_file import read_keys
from archway.up.postgres_binaries import NoPostgres, find_postgres
from archway.up.redis import NoRedis, find_redis
from archway.up.state import StateFolder
from archway.up.up_file import read_up


def examine(state: StateFolder, environment: Mapping[str, str]) -> list[Finding]:
    """Every finding; none when all is well. Blocks for some seconds when a server does not answer."""
    facts = gather(state)
    kept = read_json(state.remembered)
    findings = check_python() + check_state(state.root)
    findings += check_settings({**read_keys(state.keys), **environment})
    findings += check_needed(environment)
    findings += check_ports({str(name): int(port) for name, port in kept.get("ports", {}).items()}, facts)
    findings += _servers(state, environment, kept, facts)
    return findings + _running(facts) + _first_call(state, facts)


def _first_call(state: StateFolder, facts: Facts) -> list[Finding]:
    """What `archway up` made for a first call and cannot show any more."""
    if not facts.running or facts.trouble:
        return []
    up = read_up(state)
    try:
        found = finished(AdminApi(str(up["control_url"]), str(up["admin_token"])), state.setup)
    except (KeyError, Problem, Unreachable):
        return []  # starting or ending just now; whatever lasts is told above
    if not isinstance(found, Gone):
        return []
    cure = "make a gateway and a token of your own (`archway gateways create`, `archway tokens create`)"
    return [note(found.what, "`archway up` prints no first call", cure)]


def _servers(
    state: StateFolder, environment: Mapping[str, str], kept: Mapping[str, object], facts: Facts
) -> list[Finding]:
    findings: list[Finding] = []
    own = environment.get(SECRET_KEY)
    key = own or read_keys(state.keys).get(SECRET_KEY)
    ports = kept.get("ports")
    database, redis_url = environment.get("ARCHWAY_DATABASE_URL"), environment.get("ARCHWAY_REDIS_URL")
    if facts.running and isinstance(ports, dict):
        database = database or postgres.url(ports["postgres"], str(kept.get("postgres_password")))
        redis_url = redis_url or redis.url(ports["redis"], str(kept.get("redis_password")))
    findings += check_database(database) if database else _embedded_postgres()
    if database and key:
        findings += check_secrets(database, key, "of the environment" if own else f"of {state.keys}")
    findings += check_redis(redis_url) if redis_url else _embedded_redis()
    return findings


def _embedded_postgres() -> list[Finding]:
    try:
        find_postgres()
    except NoPostgres as why:
        return [Finding(str(why))]
    return []


def _embedded_redis() -> list[Finding]:
    try:
        find_redis()
    except NoRedis as why:
        return [Finding(str(why))]
    return []


def _running(facts: Facts) -> list[Finding]:
    if not facts.running:
        dead = [process for process in facts.processes if process.alive]
        left = ", ".join(f"{process.name} (pid {process.pid})" for process in dead)
        return (
            [Finding(f"left over from a killed start: {left}", "they hold ports and memory", "`archway down`")]
            if left
            else []
        )
    findings = [
        Finding(
            f"{process.name} (pid {process.pid}) is dead",
            "it is being restarted, or cannot start",
            f"read {facts.state}/logs",
        )
        for process in facts.processes
        if not process.alive
    ]
    if facts.trouble:
        findings.append(Finding(f"the admin API: {facts.trouble}", cure=f"read {facts.state}/logs/control.log"))
    findings += [
        note(f"installation {one.name}: {one.state}", one.reason, "`archway installations discover` tries again")
        for one in facts.installations
        if one.state != "ready"
    ]
    return findings
