import msgspec

from control.credentials.for_caller import ForCaller


def test_a_token_is_in_no_repr_and_comes_back_whole() -> None:
    given = ForCaller("s3cret", 7.0, 3.0)
    assert "s3cret" not in f"{given!r} {given}"
    assert msgspec.json.decode(msgspec.json.encode(given), type=ForCaller) == given
