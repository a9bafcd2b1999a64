from __future__ import annotations

from control.orchestrator.objects import objects_of
from control.registry.credential import StaticCredential
from control.registry.fields import Field
from control.registry.self_hosted import USUAL, SelfHosted
from control.servers.sample import sample_of
from tests.fakes.registry import a_wanted_entry
from tests.kube.wanted_servers import DEFAULTS

RUN = SelfHosted(command=("npx", "-y", "a@1"), environment={"MODE": "fast"}, mounted=("ca.pem",))
FIELDS = (
    Field("region", "string", variable="REGION", default="eu"),
    Field("size", "number", variable="SIZE"),
    Field("kind", "select", variable="KIND", options=("a", "b")),
    Field("key", "secret", variable="KEY"),
    Field("cert", "secret", file="cert.pem"),
)
ENTRY = a_wanted_entry(reached=RUN, fields=FIELDS, credential=StaticCredential(style="variable", variable="API_KEY"))


def test_it_has_all_that_an_installation_would_be_started_with() -> None:
    found = sample_of(ENTRY, RUN, ("TOKEN", "ca.pem"), None)
    assert found.environment == {"MODE": "fast", "REGION": "eu", "SIZE": "1", "KIND": "a"}
    assert set(found.secret_environment) == {"KEY", "TOKEN", "API_KEY"}
    assert set(found.files) == {"cert.pem", "ca.pem"}
    assert found.resources == USUAL


def test_a_cluster_would_be_given_its_objects() -> None:
    kinds = [one["kind"] for one in objects_of(sample_of(ENTRY, RUN, (), None), DEFAULTS)]
    assert "Deployment" in kinds


def test_the_images_credentials_have_names_of_ours() -> None:
    run = SelfHosted(image="registry.example/a:1", transport="http", pull_secrets=("0193a1b2",))
    found = sample_of(a_wanted_entry(reached=run), run, (), None)
    assert [one.name for one in found.pull_secrets] == ["pull-0193a1b2"]
    assert (found.port, found.bridge_token) == (8080, "")
