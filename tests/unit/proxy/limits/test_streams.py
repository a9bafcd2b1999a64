from typing import Any

from proxy.limits.streams import MayConcern, Streams


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


def test_who_looks_after_streams_is_told_at_which_to_look() -> None:
    streams, told = Streams(), list[MayConcern]()

    class Sweep:
        def look_at(self, may_concern: MayConcern) -> list[Any]:
            told.append(may_concern)
            return [len(told)]

    streams.looked_after_by(Sweep())
    streams.looked_after_by(Sweep())

    def all_of_them(*_: object) -> bool:
        return True

    assert streams.look_at(all_of_them) == [1, 2]
    assert told == [all_of_them] * 2
