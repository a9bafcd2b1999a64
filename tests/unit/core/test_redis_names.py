from core import redis_names as courier


def test_every_name_begins_with_ours_and_no_two_are_alike() -> None:
    names = [
        courier.CHANGES, courier.CHANGES_HEAD, courier.INDEX, courier.RECORDS, courier.MAILBOX,
        courier.snapshot_key("x"), courier.gone_key("x"), courier.verdict_key("x"), courier.connection_key("x"),
        courier.upstream_session_key("x"), courier.tombstone_key("x"),
    ]  # fmt: skip
    assert all(name.startswith(courier.PREFIX) for name in names)
    assert len(set(names)) == len(names)


def test_what_lives_longer_is_published_again_before_it_ends() -> None:
    assert 0 < courier.SNAPSHOT_TTL_S < courier.CHANGES_TTL_S
