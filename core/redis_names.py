"""Names of all that we keep in Redis, lengths of its streams, ages of what control writes.

Nothing read under these names is believed without its signature or seal, and all of it may vanish at any time.
"""

from typing import Final

PREFIX: Final = "archway:"

CHANGES: Final = PREFIX + "changes"
"""Stream. Fields `n` (number), `e` (signed `core.changes.Change`)."""
CHANGES_HEAD: Final = PREFIX + "changes:head"
"""Hash `epoch`, `number`: the last event's. Absent: the next publisher begins a new epoch."""
CHANGES_LENGTH: Final = 10_000
CHANGES_TTL_S: Final = 7 * 86_400

WORKERS: Final = PREFIX + "workers"
"""Sorted set: workers by when each last said how far it has followed the change stream."""
WORKERS_TTL_S: Final = 60
"""After so long without a word a worker is taken to be gone."""


def worker_key(worker: str) -> str:
    """Sealed `core.acknowledgements.Acknowledgement` of one worker."""
    return f"{PREFIX}worker:{worker}"


INDEX: Final = PREFIX + "index"
"""Hash `epoch`, `revision`, `document` (signed `core.snapshot.Index`)."""
SNAPSHOT_TTL_S: Final = 86_400
"""Control publishes again what is older than half of this."""


def snapshot_key(gateway_id: str) -> str:
    """Hash `revision`, `document` of one gateway."""
    return f"{PREFIX}gateway:{gateway_id}"


GONE_TTL_S: Final = 3_600
"""A publisher that compiled a gateway before it was deleted ends within its deadlines, long before this."""


def discovering_key(installation_id: str) -> str:
    """Stands while a server is asked what it offers, for pages that show so; it ends by its age at the latest."""
    return f"{PREFIX}discovering:{installation_id}"


def gone_key(gateway_id: str) -> str:
    """Stands for a while after a gateway was deleted, so that a slow publisher cannot bring it back."""
    return f"{PREFIX}gone:{gateway_id}"


RECORDS: Final = PREFIX + "records"
"""Stream of sealed batches: fields `w` (worker), `n` (number), `b` (batch)."""
RECORDS_GROUP: Final = "control"
RECORDS_LENGTH: Final = 50_000
RECORDS_TTL_S: Final = 7 * 86_400

MAILBOX: Final = PREFIX + "mailbox"
"""Pub/sub channel on which workers reach a call that runs in another worker."""


def verdict_key(digest: str) -> str:
    """Sealed verdict on a token; control deletes it with the event that revokes."""
    return f"{PREFIX}verdict:{digest}"


def installation_key(key: str) -> str:
    """Sealed installation of one gateway's assignment, and of whom it is: `gateway/assignment/whose`."""
    return f"{PREFIX}connection:{key}"


EVERYBODY: Final = "*"
"""Whose installation it is in such a key, where it is not the caller's own."""


def with_credential(principal: str, digest: str) -> str:
    """Whose it is in such a key, where it is a caller's with this very credential."""
    return f"{principal}#{digest}"


def principal_in(whose: str) -> str:
    """The principal's key, with which credential ever; `*` for everybody's."""
    return whose.partition("#")[0]


def digest_in(whose: str) -> str:
    """The credential's digest; '' where it is no matter with which."""
    return whose.partition("#")[2]


def upstream_session_key(key: str) -> str:
    """Sealed session of a legacy upstream, one per owner."""
    return f"{PREFIX}upstream:{key}"


def upstream_session_users_key(key: str, digest: str) -> str:
    """Set: the workers that use this session, of which there may be several under one key."""
    return f"{PREFIX}upstream-users:{key}:{digest}"


def tombstone_key(jti: str) -> str:
    """A client session that was ended before its time; lives at least as long as the session would have."""
    return f"{PREFIX}ended:{jti}"


def log_level_key(jti: str) -> str:
    """From which level on a client session hears what servers log; lives as long as a tombstone."""
    return f"{PREFIX}level:{jti}"


def subscribed_key(jti: str) -> str:
    """Hash: the resources that a client session is subscribed to, each sealed; lives as long as a tombstone."""
    return f"{PREFIX}subscribed:{jti}"


def outcome_key(reply: str) -> str:
    """What became of a suspended call, for the worker that its caller came back to; a minute."""
    return f"{PREFIX}outcome:{reply}"


TOMBSTONE_TTL_S: Final = 86_400
"""No session lives longer; for who does not know when one began."""
THROTTLES: Final = PREFIX + "throttle"
"""Begins the name of each count of tries at something; a count lives until it is zero again, some minutes."""


def key_set_key(issuer: str) -> str:
    """Sealed copy of the signed keys of one issuer."""
    return f"{PREFIX}keys:{issuer}"
