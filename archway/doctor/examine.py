"""The whole examination, check by check, of one environment and one state folder, or of files with settings.

Each thing that is looked at has its line, also where it is well: a doctor that says nothing of what it left out lets
one believe that all is well.
"""

import sys
from collections.abc import Mapping, Sequence

from archway.doctor.asking import TO_CONTROL, TO_PROXIES, ask, runs
from archway.doctor.environments import Given
from archway.doctor.far_run import check_deployment
from archway.doctor.finding import Finding, looked
from archway.doctor.isolation_check import check_isolation
from archway.doctor.listeners import check_ports
from archway.doctor.local_run import check_first_call, check_running
from archway.doctor.machine import check_python, check_state
from archway.doctor.planes_check import CONTROLS, PROXIES, addresses_of, check_gaps, check_pair, default_of
from archway.doctor.secrets_check import SECRET_KEY, check_secrets
from archway.doctor.servers_check import check_database, check_redis
from archway.doctor.settings_check import check_needed, check_settings
from archway.private_files import read_json
from archway.status.facts import Facts, gather
from archway.up import postgres, redis
from archway.up.keys_file import read_keys
from archway.up.postgres_binaries import NoPostgres, find_postgres
from archway.up.redis import NoRedis, find_redis
from archway.up.state import StateFolder

_PROXY_KEY = "ARCHWAY_PROXY_KEY"


def examine(state: StateFolder, environment: Mapping[str, str]) -> list[Finding]:
    """A machine with its state folder, and the settings in the environment. Blocks for some seconds at most."""
    facts, keys = gather(state), read_keys(state.keys)
    kept = read_json(state.remembered)
    ports = {str(name): int(port) for name, port in kept.get("ports", {}).items()}
    here = Given("the environment", environment)
    findings = looked(f"Python {sys.version.split()[0]}", check_python())
    findings += looked(f"state folder {state.root}", check_state(state.root))
    findings += _settings(here, {**keys, **environment})
    findings += looked("ports that the last start used here", check_ports(ports, facts)) if ports else []
    findings += check_isolation(environment)
    findings += _servers(state, environment, kept, facts)
    findings += _asked(here)
    if facts.running:
        findings += _asked_here(ports, environment.get(_PROXY_KEY) or keys.get(_PROXY_KEY, ""))
    return findings + check_running(facts) + check_first_call(state, facts) + check_deployment(environment, must=True)


def examine_files(given: Sequence[Given], environment: Mapping[str, str]) -> list[Finding]:
    """The settings of a deployment's programs, each by itself and held against each other."""
    findings = looked(f"Python {sys.version.split()[0]}", check_python())
    for one in given:
        findings += _named(one, _settings(one, one.settings))
        findings += _named(one, _far_servers(one))
        findings += _named(one, _asked(one))
    for control in (one for one in given if one.is_for("control")):
        for proxy in (one for one in given if one.is_for("proxy") and one is not control):
            findings += looked(f"{control.name} and {proxy.name} fit together", check_pair(control, proxy))
    return findings + check_deployment(environment, must=False)


def _named(given: Given, findings: Sequence[Finding]) -> list[Finding]:
    """The findings with the file's name, where they do not say it."""
    return [
        one if given.name in one.what else Finding(f"{given.name}: {one.what}", one.why, one.cure, one.level)
        for one in findings
    ]


def _settings(given: Given, settings: Mapping[str, str]) -> list[Finding]:
    planes = [plane for plane in ("control", "proxy") if given.is_for(plane)]
    told = f"settings of {given.name}, {_counted(given.ours)}" + (f", for {' and '.join(planes)}" if planes else "")
    found = looked(told, check_settings(settings) + check_needed(given.settings) + check_gaps(given))
    for plane in planes:
        networks = given.settings.get("ARCHWAY_UPSTREAM_NETWORKS", "").strip()
        open_to = f"and {networks}" if networks else "only; ARCHWAY_UPSTREAM_NETWORKS opens others"
        found.append(Finding(f"{plane} lets servers be at public addresses {open_to}", level="ok"))
    return found


def _counted(ours: int) -> str:
    return f"{ours or 'no'} ARCHWAY_ variable{'' if ours == 1 else 's'}"


def _asked(given: Given) -> list[Finding]:
    """What the planes answer to each other, for each plane that these settings are for."""
    key, bundle = given.settings.get(_PROXY_KEY, ""), given.settings.get("ARCHWAY_CA_BUNDLE", "").strip()
    findings = []
    if given.is_for("control"):
        listen = given.settings.get("ARCHWAY_ADMIN_LISTEN", "").strip() or default_of("ARCHWAY_ADMIN_LISTEN")
        findings += ask(TO_PROXIES, addresses_of(given.settings, PROXIES), key, bundle, must=runs(listen))
    if given.is_for("proxy"):
        findings += ask(TO_CONTROL, addresses_of(given.settings, CONTROLS), key, bundle, must=False)
    return findings


def _asked_here(ports: Mapping[str, int], key: str) -> list[Finding]:
    findings = []
    for question, name in ((TO_PROXIES, "proxy_internal"), (TO_CONTROL, "control_internal")):
        if name in ports:
            findings += ask(question, [f"http://127.0.0.1:{ports[name]}"], key, "", must=True)
    return findings


def _far_servers(given: Given) -> list[Finding]:
    database, redis_url = given.settings.get("ARCHWAY_DATABASE_URL"), given.settings.get("ARCHWAY_REDIS_URL")
    findings = looked("PostgreSQL answers", check_database(database)) if database else []
    key = given.settings.get(SECRET_KEY)
    if database and key and not _any_wrong(findings):
        findings += looked(f"stored secrets open with {SECRET_KEY}", check_secrets(database, key, f"of {given.name}"))
    return findings + (looked("Redis answers", check_redis(redis_url)) if redis_url else [])


def _servers(
    state: StateFolder, environment: Mapping[str, str], kept: Mapping[str, object], facts: Facts
) -> list[Finding]:
    own = environment.get(SECRET_KEY)
    key = own or read_keys(state.keys).get(SECRET_KEY)
    ports = kept.get("ports")
    database, redis_url = environment.get("ARCHWAY_DATABASE_URL"), environment.get("ARCHWAY_REDIS_URL")
    if facts.running and isinstance(ports, dict):
        database = database or postgres.url(ports["postgres"], str(kept.get("postgres_password")))
        redis_url = redis_url or redis.url(ports["redis"], str(kept.get("redis_password")))
    findings = looked("PostgreSQL answers", check_database(database)) if database else _embedded_postgres()
    if database and key and not _any_wrong(findings):
        where = "of the environment" if own else f"of {state.keys}"
        findings += looked(f"stored secrets open with {SECRET_KEY} ({where})", check_secrets(database, key, where))
    return findings + (looked("Redis answers", check_redis(redis_url)) if redis_url else _embedded_redis())


def _any_wrong(findings: Sequence[Finding]) -> bool:
    return any(finding.wrong for finding in findings)


def _embedded_postgres() -> list[Finding]:
    try:
        return looked(f"PostgreSQL's programs are in {find_postgres()}", [])
    except NoPostgres as why:
        return [Finding(str(why))]


def _embedded_redis() -> list[Finding]:
    try:
        return looked(f"Valkey is {find_redis()}", [])
    except NoRedis as why:
        return [Finding(str(why))]
