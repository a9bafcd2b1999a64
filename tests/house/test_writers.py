"""Which files write rows: SQL that changes the registry stands where only `control/changes/` may call it."""

from __future__ import annotations

import ast
import re

from tests.house.tracked import ROOT, python_files

WRITES = re.compile(r"\binsert\s+into\b|\bdelete\s+from\b|\bupdate\s+\w+\s+(?:\w+\s+)?set\b", re.IGNORECASE)
MAKERS = {"insert_into", "update_of"}
"""What makes such statements, of `control/store/statements.py`."""
OTHER_WRITERS = {
    "control/store/outbox.py": "the announcement itself",
    "control/store/statements.py": "makes statements, runs none",
    "control/store/browser_sessions.py": "no part of the registry; ending somebody's is recorded by a change",
    "control/store/known_devices.py": "to know a browser gives no access, and nobody decides it",
    "control/store/sign_in_attempts.py": "what happened at the door is nobody's change",
    "control/store/oauth_clients.py": "when a client was last used, and that nobody used it, is no change",
    "control/store/oauth_grants.py": "nobody decides what is used up on the way to a token",
    "control/store/oauth_requests.py": "to be asked is no change; the answer is",
    "control/store/tokens.py": "when a token was last used is no change, and proxies have it noted",
    "control/store/publication.py": "the publisher forgets what is published",
    "control/store/stale_copies.py": "the publisher's list of copies to delete",
    "control/store/records.py": "records of calls, which nobody changes",
    "control/store/account_sign_ins.py": "to begin a sign-in elsewhere changes nothing; what comes of it does",
    "control/store/asked_again.py": "nobody decides when a server is asked again",
    "control/store/account_revocations.py": "nobody decides when a provider is told",
    "control/store/accounts.py": "what a server asks for besides is noted, and decided by nobody",
    "control/store/upstream_clients.py": "a client is registered on the way to a sign-in, and decided by nobody",
    "control/store/external_principals.py": "who has not called for long is forgotten, and decided by nobody",
    "control/store/watches.py": "nobody decides which worker listens to a server",
    "control/store/server_states.py": "nobody decides what the token of a bridge is",
    "control/store/idle_servers.py": "that a server is about to be ended was decided, and told, before",
    "control/store/cluster_capabilities.py": "what a cluster can hold is found, and decided by nobody",
    "control/store/enforcement.py": "what a probe saw is decided by nobody",
    "control/store/migrate.py": "the list of migrations",
}


def writes_in(source: str) -> bool:
    """Whether a file has a statement that writes, or makes one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WRITES.search(node.value):
            return True
        if isinstance(node, ast.Name) and node.id in MAKERS:
            return True
    return False


def writers() -> set[str]:
    return {path for path in python_files("control") if writes_in((ROOT / path).read_text())}


def test_rows_of_the_registry_are_written_where_only_changes_may_call_it() -> None:
    elsewhere = {path for path in writers() if not path.startswith("control/store/writes/")}
    assert elsewhere == set(OTHER_WRITERS)


def test_each_file_of_writes_writes() -> None:
    files = [path for path in python_files("control") if path.startswith("control/store/writes/")]
    assert {path for path in files if not path.endswith("/__init__.py")} == writers() & set(files)


def test_a_statement_that_writes_is_seen_and_a_lock_is_none() -> None:
    assert writes_in('SQL = "insert into teams (id) values ($1)"')
    assert writes_in('SQL = CLAIM + " delete from teams t where t.id = $1"')
    assert writes_in('SQL = "update teams t set name = $2"')
    assert writes_in('SQL = update_of("teams", ("name",))')
    assert not writes_in('SQL = "select * from teams for update of t"')
    assert not writes_in('SQL = "select id from tokens for no key update skip locked"')
