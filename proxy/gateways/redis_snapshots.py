"""A gateway's snapshot as it lies in Redis: a document, which the holder believes only with control's signature."""

from core import redis_names
from proxy.redis import Redis, RedisAway


async def document_in_redis(redis: Redis, gateway_id: str, at_least: int) -> bytes | None:
    """The document; None where there is none, only an older revision, or no Redis."""
    try:
        revision, document = await redis.ask(
            redis.commands.hmget(redis_names.snapshot_key(gateway_id), "revision", "document")
        )
    except RedisAway:
        return None
    if revision is None or document is None or not revision.isdigit() or int(revision) < at_least:
        return None
    return bytes(document)
