from proxy.caches.usual import remember


def test_what_is_remembered_is_known_until_the_memory_is_full_and_then_emptied() -> None:
    known: dict[str, int] = {}
    for number, key in enumerate("abc"):
        remember(known, key, number, 3)
    assert known == {"a": 0, "b": 1, "c": 2}
    remember(known, "d", 3, 3)
    assert known == {"d": 3}
