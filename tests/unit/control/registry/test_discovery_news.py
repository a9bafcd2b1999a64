import pytest

from control.registry.discovery_news import MOST_COMPARED, MOST_NAMED, ChangedTool, News, named


def changed(name: str) -> ChangedTool:
    return ChangedTool(name, {"name": name, "title": "A"}, {"name": name, "title": "B"})


@pytest.mark.parametrize("news", [News(("a",)), News((), (changed("a"),)), News((), (), ("a",))])
def test_anything_is_news(news: News) -> None:
    assert news
    assert not News()


def test_many_names_are_told_by_their_number() -> None:
    told = named([f"tool-{number}" for number in range(MOST_NAMED + 7)])
    assert (len(told), told[-1]) == (MOST_NAMED + 1, "and 7 more")
    assert named(["a"]) == ["a"]


def test_a_line_of_the_trail_compares_only_so_many() -> None:
    recorded = News((), tuple(changed(f"tool-{number}") for number in range(MOST_COMPARED + 1))).recorded()
    assert len(recorded["changed"]) == MOST_COMPARED + 1
    assert len(recorded["differences"]) == MOST_COMPARED
    place = {"at": "title", "before": "A", "after": "B"}
    assert recorded["differences"][0] == {"name": "tool-0", "differences": [place]}
