from archway.up.given_servers import database_wait, tell_away


class Report:
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


async def test_a_database_that_is_away_is_named_with_how_long_it_is_waited_for():
    report = Report()

    await tell_away({"ARCHWAY_DATABASE_URL": "postgresql://x:hunter2@127.0.0.1:1/x"}, report)

    (sentence,) = report.notes
    assert sentence.startswith("PostgreSQL does not answer")
    assert sentence.endswith("waiting up to 60 s for it (ARCHWAY_DATABASE_WAIT)")
    assert "hunter2" not in sentence


async def test_a_redis_that_is_away_is_named_and_not_waited_for():
    report = Report()

    await tell_away({"ARCHWAY_REDIS_URL": "redis://127.0.0.1:1"}, report)

    assert "starting without it" in report.notes[0]


async def test_own_servers_are_not_asked():
    report = Report()

    await tell_away({}, report)

    assert report.notes == []


def test_the_wait_is_what_control_was_told():
    assert database_wait({"ARCHWAY_DATABASE_WAIT": "5"}) == 5
