from proxy.limits.streams import Streams


def test_a_session_has_a_stream_until_it_is_closed() -> None:
    streams = Streams()
    assert streams.open("a", "user:1", most=8)
    assert "a" in streams
    assert streams.sessions() == ["a"]
    streams.close("a")
    streams.close("a")
    assert "a" not in streams
    assert len(streams) == 0


def test_a_worker_has_so_many_streams() -> None:
    streams = Streams()
    assert all(streams.open(f"s{number}", f"user:{number}", most=4) for number in range(4))
    assert not streams.open("s5", "user:5", most=4)
    streams.close("s0")
    assert streams.open("s5", "user:5", most=4)


def test_one_principal_has_at_most_a_quarter_of_them() -> None:
    streams = Streams()
    assert streams.open("a", "user:1", most=8)
    assert streams.open("b", "user:1", most=8)
    assert not streams.open("c", "user:1", most=8)
    assert streams.open("c", "user:2", most=8)
