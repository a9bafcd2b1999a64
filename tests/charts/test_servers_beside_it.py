"""What control makes in the cluster of the chart fits what the chart makes."""

from __future__ import annotations

from control.orchestrator.defaults import Defaults
from control.orchestrator.egress.kubernetes_policy import network_policy
from core.identifiers import new_id
from tests.charts.conftest import Render
from tests.charts.objects import named, settings_of
from tests.charts.rendering import NAMESPACE
from tests.unit.control.servers.conftest import wanted_server


def test_the_policy_of_a_server_lets_in_the_charts_proxies_and_not_its_control(render: Render) -> None:
    rendered = render({})
    told = settings_of(rendered, "control")
    made = network_policy(
        wanted_server(new_id()),
        Defaults(
            instance_id=new_id(),
            namespace=told["ARCHWAY_SERVERS_NAMESPACES"],
            proxies_namespace=told["ARCHWAY_RELEASE_NAMESPACE"],
            base_image=told["ARCHWAY_BASE_IMAGE"],
            name_key=b"k" * 32,
        ),
        None,
    )
    (let_in,) = made["spec"]["ingress"][0]["from"]
    assert let_in["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": NAMESPACE}
    wanted = let_in["podSelector"]["matchLabels"].items()
    labels = {
        plane: named(rendered, "Deployment", f"archway-{plane}")["spec"]["template"]["metadata"]["labels"]
        for plane in ("control", "proxy")
    }
    assert [plane for plane, found in labels.items() if wanted <= found.items()] == ["proxy"]
