from __future__ import annotations

import msgspec

from core.probes import ProbeQuestion
from core.resolve import ResolvedInstallation


def test_a_question_names_its_installation_as_planes_of_the_version_before_do() -> None:
    installation = ResolvedInstallation("i", "e", "server", "organisation", "remote", "https://server.test/mcp", 1)
    asked = ProbeQuestion(installation, lists=False)
    sent = msgspec.msgpack.encode(asked)
    assert set(msgspec.msgpack.decode(sent)) == {"connection", "lists", "look", "seconds"}
    assert msgspec.msgpack.decode(sent, type=ProbeQuestion) == asked
