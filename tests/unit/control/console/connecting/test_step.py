"""What a client is to call."""

from __future__ import annotations

import json

from control.console.connecting.step import HOLDER, Target, as_json


def test_a_target_without_a_token_holds_a_place_for_one() -> None:
    assert Target("https://a.example", "a").bearer == f"Bearer {HOLDER}"


def test_json_keeps_letters_as_people_read_them() -> None:
    assert as_json({"name": "Größe"}) == '{\n  "name": "Größe"\n}'
    assert json.loads(as_json({"name": "Größe"})) == {"name": "Größe"}
