"""The page of settings names every variable of both planes, with the default that it has, and no other."""

from __future__ import annotations

import re

import msgspec
import pytest

from control.settings import ControlSettings
from core.settings import variable
from proxy.settings import ProxySettings
from tests.house.tracked import ROOT

PAGE = ROOT / "docs" / "operating" / "settings.md"
ROW = re.compile(r"^\| `(\w+)` \| (needed|none|`[^`]+`) \| ", re.MULTILINE)


def on_the_page(section: str) -> dict[str, str]:
    """Variable to default, of one section."""
    _, _, after = PAGE.read_text().partition(f"\n## {section}\n")
    return dict(ROW.findall(after.partition("\n## ")[0]))


def in_the_code(settings: type[msgspec.Struct]) -> dict[str, str]:
    return {variable(field.name): default_of(field) for field in msgspec.structs.fields(settings)}


def default_of(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "needed"
    # -1 stands for a descriptor that was not inherited.
    return "none" if field.default in ("", (), -1) else f"`{field.default}`"


@pytest.mark.parametrize(("section", "settings"), [("Control", ControlSettings), ("Proxy", ProxySettings)])
def test_the_page_tells_every_setting_with_its_default(section, settings):
    told = on_the_page("Both planes") | on_the_page(section)
    assert told == in_the_code(settings)


def test_a_setting_of_both_planes_is_told_once():
    shared = in_the_code(ControlSettings).keys() & in_the_code(ProxySettings).keys()
    assert on_the_page("Both planes").keys() == shared
