"""Commands that are said to help: what a client calls itself runs nothing."""

from __future__ import annotations

import shlex

from control.registry.sign_in_cures import let_in, visible_to_its_team, visible_to_them


def test_a_name_that_a_client_chose_is_one_word_of_the_command() -> None:
    hostile = "https://evil.example/$(reboot);`id`"
    for cure in (let_in("desk", hostile), visible_to_its_team("desk", hostile)):
        assert hostile in shlex.split(cure)


def test_a_person_who_sees_no_gateway_is_helped_by_a_team_or_another_url() -> None:
    assert "archway gateways update desk --add-team TEAM" in visible_to_them("desk")
