"""One set of ports everywhere: the settings' defaults, the image, `archway up` and the pages."""

from __future__ import annotations

import re

import msgspec
import pytest

from archway.up.ports import PREFERRED
from control.settings import ControlSettings
from core.settings import variable
from proxy.settings import ProxySettings
from tests.house.tracked import ROOT, tracked

PORTS = {
    "ARCHWAY_PROXY_LISTEN": 8400,
    "ARCHWAY_ADMIN_LISTEN": 8401,
    "ARCHWAY_CONTROL_INTERNAL_LISTEN": 8402,
    "ARCHWAY_PROXY_INTERNAL_LISTEN": 8403,
    "ARCHWAY_CONTROL_PUBLIC_LISTEN": 8404,
    "ARCHWAY_METRICS_LISTEN": 9400,
}


def test_the_defaults_are_loopback_and_these_ports():
    fields = [field for kind in (ProxySettings, ControlSettings) for field in msgspec.structs.fields(kind)]
    listens = {variable(field.name): field.default for field in fields if field.name.endswith("_listen")}
    assert listens.pop("ARCHWAY_CONTROL_METRICS_LISTEN") == "", "it is off unless somebody wants it"
    assert listens == {name: f"127.0.0.1:{port}" for name, port in PORTS.items()}


def test_the_image_listens_on_these_ports_and_says_so():
    text = (ROOT / "Dockerfile").read_text()
    assert dict(re.findall(r"(ARCHWAY_\w+_LISTEN)=0\.0\.0\.0:(\d+)", text)) == {
        name: str(port) for name, port in PORTS.items()
    }
    exposed = re.search(r"^EXPOSE (.*)$", text, re.MULTILINE)
    assert exposed is not None
    assert sorted(map(int, exposed[1].split())) == sorted(PORTS.values())


def test_archway_up_prefers_these_ports():
    assert {"proxy": PORTS["ARCHWAY_PROXY_LISTEN"], "control": PORTS["ARCHWAY_ADMIN_LISTEN"]} == PREFERRED


@pytest.mark.parametrize("page", [path for path in tracked() if path.endswith(".md") and "/adr/" not in path])
def test_a_page_names_no_other_port_of_ours(page):
    """80xx were ours once; an example of somebody else's server takes 95xx."""
    text = (ROOT / page).read_text()
    assert not re.findall(r"(?<=:)80[0-9]{2}\b", text)
    ours = {int(port) for port in re.findall(r"(?<=:)((?:84|94)\d\d)\b", text)}
    assert ours <= set(PORTS.values())
