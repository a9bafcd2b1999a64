"""What a scrape tells of refreshes."""

from bench.refreshes import Refreshes, refreshes_in

SCRAPE = """# TYPE archway_refreshes_total counter
archway_refreshes_total{cache="verdicts"} 120
archway_refreshes_total{cache="connections"} 1.5e+06
archway_refresh_questions_total{cache="verdicts"} 7
archway_refresh_questions_total{cache="connections"} 2
archway_lists_total 9
"""


def test_the_caches_are_added_up():
    assert refreshes_in(SCRAPE) == Refreshes(1_500_120, 9)


def test_where_nothing_is_told_there_were_none():
    assert refreshes_in("") == Refreshes(0, 0)


def test_a_round_is_told_what_came_since_its_beginning():
    assert Refreshes(12, 3).since(Refreshes(10, 2)) == Refreshes(2, 1)
