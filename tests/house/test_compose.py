"""The compose file: what it tells the planes they accept, and it holds no secret.

`docker compose config` is not at hand here, so Compose's own reading of it (interpolation, extension fields) is not
tested.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from archway.up.keys_file import KEY_NAMES, verify_keys
from control.settings import from_environment as control_settings
from core.keys import new_key
from core.settings import variable
from proxy.settings import from_environment as proxy_settings
from tests.house.tracked import ROOT

PLACE = re.compile(r"\$\{(\w+):([?-])([^}]*)\}")


@pytest.fixture
def services() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]


@pytest.fixture
def kept() -> dict[str, str]:
    """What deploy/.env holds, as the page makes it."""
    keys = {name: new_key() for name in KEY_NAMES}
    passwords = {"POSTGRES_PASSWORD": new_key(), "REDIS_PASSWORD": new_key()}
    return keys | passwords | {"ARCHWAY_VERIFY_KEYS": verify_keys(keys["ARCHWAY_SIGNING_KEY"])}


@pytest.mark.parametrize("plane", ["control", "proxy"])
def test_a_plane_accepts_what_it_is_told(
    plane: str, services: dict[str, Any], kept: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in services[plane]["environment"].items():
        value = PLACE.sub(lambda found: kept[found[1]] if found[2] == "?" else kept.get(found[1], found[3]), text)
        monkeypatch.setenv(name, value)
    told = control_settings() if plane == "control" else proxy_settings()
    known = {variable(name) for name in told.__struct_fields__}
    assert services[plane]["environment"].keys() <= known


def test_a_secret_is_only_ever_a_place_that_must_be_filled(services: dict[str, Any], kept: dict[str, str]) -> None:
    told = [(name, text) for one in services.values() for name, text in one.get("environment", {}).items()]
    secret = [text for name, text in told if re.search("KEY|PASSWORD|DATABASE_URL|REDIS_URL", name)]
    assert len(secret) == 10
    assert all([kind for _, kind, _ in PLACE.findall(text)] == ["?"] for text in secret)
    wanted = {name for _, text in told for name, kind, _ in PLACE.findall(text) if kind == "?"}
    assert wanted == kept.keys()


def test_every_image_has_a_version_and_every_service_says_how_it_is(services: dict[str, Any]) -> None:
    assert all(re.search(r":\d", one["image"]) for one in services.values())
    assert all(one["healthcheck"]["test"] for one in services.values())


def test_nothing_listens_beyond_this_machine(services: dict[str, Any]) -> None:
    ports = [port for one in services.values() for port in one.get("ports", [])]
    assert ports == ["127.0.0.1:8401:8401", "127.0.0.1:8400:8400"]


@pytest.mark.parametrize("plane", ["control", "proxy"])
def test_a_plane_has_no_rights_and_writes_nowhere(plane: str, services: dict[str, Any]) -> None:
    one = services[plane]
    assert (one["read_only"], one["cap_drop"], one["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert one["tmpfs"] == ["/tmp"]
