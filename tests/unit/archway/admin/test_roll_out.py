"""Servers are moved to a newer base image a few at a time, and no further than those that run with it."""

from __future__ import annotations

from typing import Any

import pytest

from archway.admin.roll_out import LOOK_S, WITHIN_S, is_behind, wave

BEHIND = {"phase": "ready", "cause": "", "sentence": "", "is_latest": True, "newer_base_image": "base:2"}
STARTING = BEHIND | {"phase": "degraded", "is_latest": False, "newer_base_image": ""}
READY = BEHIND | {"newer_base_image": ""}
BROKEN = READY | {"phase": "degraded", "cause": "image_pull", "sentence": "Its image cannot be pulled."}


class Api:
    """An admin API whose servers go through these states, one at each look; the last one stays."""

    def __init__(self, **states: list[dict[str, Any]]) -> None:
        self.states, self.restarted = states, list[str]()

    def post(self, path: str, body: object = None) -> dict[str, Any]:
        self.restarted.append(path.split("/")[2])
        return {}

    def get(self, path: str, **query: object) -> dict[str, Any]:
        name = path.split("/")[2]
        states = self.states[name]
        return {"id": name, "address": f"{name}@organisation", "runs": states.pop(0) if states[1:] else states[0]}


def moved(api: Api) -> tuple[list[str], float]:
    """What is stuck, and how long it was waited."""
    waited = list[float]()
    stuck = wave(api, [{"id": name} for name in api.states], waited.append)  # type: ignore[arg-type]
    return stuck, sum(waited)


def test_it_is_waited_until_all_of_a_wave_run() -> None:
    api = Api(a=[STARTING, READY], b=[STARTING, STARTING, READY])
    assert moved(api) == ([], 2 * LOOK_S)
    assert api.restarted == ["a", "b"]


def test_one_that_cannot_run_ends_it_at_once_with_its_cause() -> None:
    stuck, waited = moved(Api(a=[READY], b=[STARTING, BROKEN]))
    assert stuck == ["b@organisation: degraded Its image cannot be pulled."]
    assert waited == LOOK_S


def test_one_that_never_answers_ends_it_after_its_time() -> None:
    stuck, waited = moved(Api(a=[STARTING]))
    assert stuck == ["a@organisation: degraded"]
    assert waited == WITHIN_S


@pytest.mark.parametrize(("runs", "behind"), [(BEHIND, True), (READY, False), (None, False)])
def test_only_servers_in_an_older_base_image_are_moved(runs: dict[str, Any] | None, behind: bool) -> None:
    assert is_behind({"runs": runs}) is behind
