"""A list that is followed: what is shown, in which order, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from archway.admin.follow import News, follow
from archway.admin.form import Form
from archway.admin_client import Problem, Unreachable

COLUMNS = ("time", "tool")


def call(second: int, name: str = "") -> dict[str, Any]:
    return {"id": name or f"r{second}", "time": f"2026-11-28T12:{second // 60:02}:{second % 60:02}Z", "tool": "t"}


class Api:
    """A list, newest first, that a test lets grow."""

    def __init__(self, *calls: dict[str, Any]) -> None:
        self.calls = list(calls)
        self.asked: list[dict[str, Any]] = []
        self.faults: list[Exception] = []

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        self.asked.append(query)
        if self.faults:
            raise self.faults.pop(0)
        since = str(query.get("from", "")).replace("+00:00", "Z")
        found = sorted((one for one in self.calls if one["time"] >= since), key=lambda one: one["time"])
        return iter(found[::-1])


class Rounds:
    """Waits, in which a test lets something happen; Ctrl-C after the last."""

    def __init__(self, *happens: Any) -> None:
        self.happens = list(happens)

    def __call__(self, _: float) -> None:
        if not self.happens:
            raise KeyboardInterrupt
        self.happens.pop(0)()


def followed(api: Api, *happens: Any, form: Form = Form.JSON, **query: Any) -> None:
    follow(News(api, "/records", query), COLUMNS, form, lambda items: items, wait=Rounds(*happens))  # type: ignore[arg-type] # a fake


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()]


def test_what_comes_is_shown_once_and_oldest_first_until_ctrl_c(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api(call(1), call(2))
    with pytest.raises(typer.Exit) as ended:
        followed(api, lambda: api.calls.extend([call(4), call(3)]), lambda: None, lambda: api.calls.append(call(5)))
    assert ended.value.exit_code == 130
    assert printed(capsys) == ["r1", "r2", "r3", "r4", "r5"]


def test_it_begins_with_the_last_few_or_with_all_since_a_moment(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api(*(call(second) for second in range(30)))
    with pytest.raises(typer.Exit):
        followed(api)
    assert printed(capsys) == [f"r{second}" for second in range(20, 30)]
    with pytest.raises(typer.Exit):
        followed(api, **{"from": "2026-11-28T12:00:05Z"})
    assert printed(capsys) == [f"r{second}" for second in range(5, 30)]


def test_what_arrives_late_is_shown_and_what_is_old_is_not_asked_for_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    api = Api(call(200))
    with pytest.raises(typer.Exit):
        followed(api, lambda: api.calls.append(call(150, "late")), lambda: api.calls.append(call(10, "too late")))
    assert printed(capsys) == ["r200", "late"]
    assert api.asked[-1]["from"].startswith("2026-11-28T12:02:20")


def test_the_filters_go_with_every_question() -> None:
    api = Api(call(1))
    with pytest.raises(typer.Exit):
        followed(api, lambda: None, client="claude")
    assert [one["client"] for one in api.asked] == ["claude", "claude"]


def test_a_plane_that_is_away_is_waited_for_and_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api(call(1))

    def goes_away() -> None:
        api.faults = [Unreachable("nobody answers"), Problem(503, "Away")]
        api.calls.append(call(2))

    with pytest.raises(typer.Exit):
        followed(api, goes_away, lambda: None, lambda: None)
    out, err = capsys.readouterr()
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["r1", "r2"]
    assert err == "nobody answers; trying again\n"


@pytest.mark.parametrize("status", [401, 403, 422])
def test_a_refusal_ends_it(status: int) -> None:
    api = Api(call(1))

    def refused() -> None:
        api.faults = [Problem(status, "No")]

    with pytest.raises(Problem):
        followed(api, refused)


def test_people_read_a_table_whose_head_stands_once(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api(call(1))
    with pytest.raises(typer.Exit):
        followed(api, lambda: api.calls.append(call(2)), form=Form.TABLE)
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["time", "tool"]
    assert (first.split(), second.split()) == (["2026-11-28T12:00:01Z", "t"], ["2026-11-28T12:00:02Z", "t"])
