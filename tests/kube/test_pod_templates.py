"""An upgrade from 0.1 restarts no server: each one's pod template is, to the byte, what that version made."""

from __future__ import annotations

from hashlib import sha256

import orjson
import pytest

from control.orchestrator.objects import objects_of
from tests.kube.wanted_servers import GOLDEN

OF_0_1 = {
    "stdio_on_the_base_image": "1295c2aaeb2893d4e299513da2fee8afab29bbf81892af06f56c4a2e745a95f9",
    "http_with_all": "2333caa7db5fa60418661aa87069848de1e66847e47c13e8bc7bd97ba9075c68",
    "http_with_nothing": "1e0180de3a2e9d1aa04f409f3ca9abe05419ba746ba1321b916165b9238755dd",
    "stdio_in_an_own_image": "cccd025f4349c921495abd47efa21d6d4eaa91ae653b19b32b7b8058eb4a3869",
}
"""SHA-256 of the template as JSON with sorted keys, computed of the golden files as version 0.1 had them."""


@pytest.mark.parametrize("name", OF_0_1)
def test_an_upgrade_from_0_1_keeps_every_servers_pod_template(name: str) -> None:
    (found,) = [one for one in objects_of(*GOLDEN[name]) if one["kind"] == "Deployment"]
    template = orjson.dumps(found["spec"]["template"], option=orjson.OPT_SORT_KEYS)
    assert sha256(template).hexdigest() == OF_0_1[name]
