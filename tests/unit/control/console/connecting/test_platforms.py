"""Platforms: what is copied into their pages."""

from __future__ import annotations

import pytest

from control.console.connecting import platforms
from control.console.connecting.step import Instructions, Target

TARGET = Target("https://mcp.example.com/v1/mcp/sales", "sales", "arch_secret")


@pytest.mark.parametrize("make", [platforms.open_webui_token, platforms.n8n_token])
def test_address_and_secret_are_copied_each_by_itself(make: Instructions) -> None:
    assert [step.code for step in make(TARGET)] == [TARGET.url, "arch_secret"]


@pytest.mark.parametrize("make", [platforms.open_webui_signed_in, platforms.n8n_signed_in])
def test_who_signs_in_copies_the_address_alone(make: Instructions) -> None:
    assert [step.code for step in make(TARGET)] == [TARGET.url, ""]
