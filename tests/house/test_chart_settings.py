"""The chart's templates name settings of ours alone, and its schema lets nobody set over what they set."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from control.settings import ControlSettings
from core.settings import variable
from proxy.settings import ProxySettings
from tests.house.tracked import ROOT

CHART = ROOT / "deploy" / "helm" / "archway"
NAME = re.compile(r"\bARCHWAY_[A-Z0-9_]*[A-Z0-9]")


def names_of(*settings: type[msgspec.Struct]) -> set[str]:
    return {variable(field.name) for kind in settings for field in msgspec.structs.fields(kind)}


def not_for_values() -> set[str]:
    schema = json.loads((CHART / "values.schema.json").read_text())
    return set(schema["$defs"]["settings"]["propertyNames"]["not"]["enum"])


@pytest.mark.parametrize(
    ("template", "settings"),
    [
        ("_settings.tpl", (ControlSettings, ProxySettings)),
        ("control.yaml", (ControlSettings,)),
        ("proxy.yaml", (ProxySettings,)),
    ],
)
def test_a_template_names_settings_of_ours_that_values_may_not_change(
    template: str, settings: tuple[type[msgspec.Struct], ...]
) -> None:
    text = re.sub(r"^\s*#.*$", "", (CHART / "templates" / template).read_text(), flags=re.MULTILINE)
    read = set(re.findall(r'dig "(ARCHWAY_[A-Z0-9_]+)"', text))
    set_here = set(NAME.findall(re.sub(r'dig "ARCHWAY_[A-Z0-9_]+"', "", text)))
    assert set_here
    assert read | set_here <= names_of(*settings)
    assert set_here <= not_for_values()
    assert not read & not_for_values()


def test_what_values_may_not_set_are_settings_of_ours() -> None:
    assert not_for_values() <= names_of(ControlSettings, ProxySettings)
