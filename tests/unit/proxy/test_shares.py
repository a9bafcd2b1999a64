from proxy.shares import Shares


def test_an_owner_has_no_more_than_its_share_and_all_together_no_more_than_there_is() -> None:
    shares = Shares()
    assert shares.take("a", 3, most=5, share=3)
    assert not shares.take("a", 1, most=5, share=3)
    assert shares.take("b", 2, most=5, share=3)
    assert not shares.take("c", 1, most=5, share=3)
    assert (shares.used, shares.of("a"), shares.of("c")) == (5, 3, 0)


def test_what_is_given_back_can_be_taken_and_never_more_than_was_had() -> None:
    shares = Shares()
    shares.take("a", 3, most=5, share=5)
    shares.take("b", 2, most=5, share=5)
    shares.give_back("a", 9)
    shares.give_back("c", 9)
    assert (shares.used, shares.of("a")) == (2, 0)
    assert list(shares._by_owner) == ["b"]
