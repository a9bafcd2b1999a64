from __future__ import annotations

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.image_sources import DOCKER, check_from, check_image_source, is_from

OURS = "registry.example.com/team"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("registry.example.com", "registry.example.com"),
        ("Registry.Example.com:5000/team", "registry.example.com:5000/team"),
        ("localhost", "localhost"),
        ("localhost:5000", "localhost:5000"),
        (f"index.{DOCKER}", DOCKER),
        (f"{DOCKER}/library", f"{DOCKER}/library"),
        ("[::1]:5000/a/b", "[::1]:5000/a/b"),
    ],
)
def test_a_registry_is_kept_in_the_form_that_images_are_compared_in(given: str, kept: str) -> None:
    assert check_image_source(given, "image_registries[0]") == kept


@pytest.mark.parametrize(
    "given",
    [
        "", "https://registry.example.com", "registry.example.com/", "/team", "registry.example.com/team:1",
        "registry.example.com/team@sha256:" + "0" * 64, "evil@registry.example.com", "team", "team/server",
        "registry.example.com/Team", "registry.example.com/../other", "registry.example.com/" + "a" * 255,
    ],
)  # fmt: skip
def test_what_no_image_could_come_from_is_refused(given: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_image_source(given, "image_registries[0]")
    assert refused.value.field == "image_registries[0]"


@pytest.mark.parametrize(
    ("image", "sources"),
    [
        ("anything/at-all:1", ()),
        ("registry.example.com/team/server:1.2", (OURS,)),
        ("REGISTRY.example.com/team/a/b@sha256:" + "0" * 64, (DOCKER, OURS)),
        ("registry.example.com/team", (OURS,)),
        ("redis", (DOCKER,)),
        ("redis:7", (f"{DOCKER}/library",)),
        ("team/server:1", (f"{DOCKER}/team",)),
        (f"index.{DOCKER}/team/server", (f"{DOCKER}/team",)),
        ("localhost:5000/server", ("localhost:5000",)),
    ],
)
def test_an_image_from_one_of_the_registries_is_let_in(image: str, sources: tuple[str, ...]) -> None:
    assert is_from(image, sources)


@pytest.mark.parametrize(
    ("image", "sources"),
    [
        ("registry.example.com/teams/server", (OURS,)),
        ("registry.example.com/other", (OURS,)),
        ("registry.example.com.evil.example/team/server", (OURS,)),
        ("registry.example.com:5000/team/server", (OURS,)),
        ("redis", (OURS,)),
        ("team/server", (f"{DOCKER}/library",)),
        ("localhost/server", ("localhost:5000",)),
        ("evil@registry.example.com/team/server", (OURS,)),
        ("registry.example.com/team/../other/server", (OURS,)),
        ("", (OURS,)),
    ],
)
def test_an_image_from_elsewhere_is_not(image: str, sources: tuple[str, ...]) -> None:
    assert not is_from(image, sources)


def test_a_refusal_names_the_registries_and_the_environment_and_the_base_image_is_let_in() -> None:
    with pytest.raises(BrokenRule, match=r"run.image: must come from registry.example.com/team.*'Payments'"):
        check_from("redis", (OURS,), "Payments")
    check_from("", (OURS,), "Payments")
