from proxy.streams import Streams


def test_a_session_has_one_stream_and_a_worker_so_many() -> None:
    streams = Streams()
    assert streams.open("a", most=2)
    assert not streams.open("a", most=2)
    assert streams.open("b", most=2)
    assert not streams.open("c", most=2)
    streams.close("a")
    streams.close("a")
    assert streams.open("c", most=2)
    assert len(streams) == 2
