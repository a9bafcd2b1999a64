import pytest

from control.explain.subject import WAYS, Kind, subject_of
from control.registry.broken_rule import BrokenRule
from core.resolve import Way


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("user:ada@example.com", "user", "ada@example.com"),
        ("team:Field Service", "team", "Field Service"),
        ("organisation", "organisation", ""),
        ("organization", "organisation", ""),
        ("service:https://client.example/meta.json", "service", "https://client.example/meta.json"),
        ("token: 0198d2a0-0000-7000-8000-000000000000 ", "token", "0198d2a0-0000-7000-8000-000000000000"),
    ],
)
def test_a_subject_is_a_kind_and_a_name(text: str, kind: Kind, name: str) -> None:
    found = subject_of(text)
    assert (found.kind, found.name, found.by) == (kind, name, WAYS[kind][0])


@pytest.mark.parametrize(
    "text", ["", "ada", "user:", "user: ", "team", "organisation:all", "robot:x", "user:" + "x" * 2000]
)
def test_what_names_nobody_is_refused_with_what_does(text: str) -> None:
    with pytest.raises(BrokenRule, match="user:EMAIL, team:NAME") as refused:
        subject_of(text)
    assert refused.value.field == "subject"


@pytest.mark.parametrize(("text", "by"), [("team:a", "oauth"), ("service:a", "token"), ("external:a", "oauth")])
def test_a_way_in_which_they_cannot_come_is_refused(text: str, by: Way) -> None:
    with pytest.raises(BrokenRule) as refused:
        subject_of(text, by)
    assert refused.value.field == "by"


def test_a_subject_is_written_as_it_is_read() -> None:
    for text in ("user:ada@example.com", "organisation"):
        assert str(subject_of(text)) == text
