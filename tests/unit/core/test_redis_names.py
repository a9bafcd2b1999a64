from core import redis_names


def test_every_name_begins_with_ours_and_no_two_are_alike() -> None:
    names = [
        redis_names.CHANGES, redis_names.CHANGES_HEAD, redis_names.INDEX, redis_names.RECORDS, redis_names.MAILBOX,
        redis_names.snapshot_key("x"), redis_names.gone_key("x"), redis_names.verdict_key("x"),
        redis_names.installation_key("x"),
        redis_names.upstream_session_key("x"), redis_names.tombstone_key("x"),
    ]  # fmt: skip
    assert all(name.startswith(redis_names.PREFIX) for name in names)
    assert len(set(names)) == len(names)


def test_what_lives_longer_is_published_again_before_it_ends() -> None:
    assert 0 < redis_names.SNAPSHOT_TTL_S < redis_names.CHANGES_TTL_S


def test_whose_an_installation_is_names_the_principal_and_perhaps_the_credential() -> None:
    whose = redis_names.with_credential("user:ann", "abc")
    assert (redis_names.principal_in(whose), redis_names.digest_in(whose)) == ("user:ann", "abc")
    assert (redis_names.principal_in("user:ann"), redis_names.digest_in("user:ann")) == ("user:ann", "")
    assert redis_names.principal_in(redis_names.EVERYBODY) == redis_names.EVERYBODY
