from control.registry.audience import Audience


def test_people_are_always_told_and_others_where_there_are_any() -> None:
    assert Audience(1).told == "1 person"
    assert Audience(0, accounts=1, tokens=1, external_by="Partners").told == (
        "0 people, 1 service account, a team's token, callers without an account by Partners"
    )


def test_nobody_is_who_has_neither_people_nor_others() -> None:
    assert Audience(0).is_nobody
    assert not Audience(0, accounts=1).is_nobody
    assert not Audience(0, external_by="Partners").is_nobody


def test_admitted_callers_who_see_no_gateway_are_warned_of() -> None:
    assert Audience(1).warnings == ()
    assert "Partners admits callers without an account" in Audience(1, unseen_by="Partners").warnings[0]
