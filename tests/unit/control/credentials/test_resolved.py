from __future__ import annotations

from dataclasses import replace

import pytest

from control.credentials.places import places_of
from control.credentials.resolved import resolve_installation, resolve_without_secrets
from control.registry.credential import Credential, StaticCredential
from control.registry.entry import Entry
from control.registry.fields import Field
from control.registry.installation import Installation
from control.registry.owner import TeamOwner
from control.registry.row_seals import OpenedSecrets
from core.resolve import InstallationRefusal, ResolvedInstallation
from tests.fakes.registry import BEARER, an_account, an_entry, an_installation

ENTRY = an_entry(isolation="shared", deadline_s=9.0, version=3)
OURS = an_installation(owner=TeamOwner("t1"), protocol="legacy", credential_version=5)
GIVEN = replace(OURS, secret_names=("credential",))


def connected(entry: Entry, installation: Installation, **values: str) -> ResolvedInstallation:
    found = resolve_installation(entry, installation, OpenedSecrets({"x-fixed": "f"}, values))
    assert isinstance(found, ResolvedInstallation)
    return found


def refused(entry: Entry, installation: Installation, **values: str) -> str:
    found = resolve_installation(entry, installation, OpenedSecrets({}, values))
    assert isinstance(found, InstallationRefusal)
    return found.code


def test_a_connection_says_how_to_reach_and_how_to_speak() -> None:
    found = connected(ENTRY, OURS)
    assert (found.url, found.protocol, found.isolation, found.deadline_s) == (
        "https://github.test/mcp", "legacy", "shared", 9.0,
    )  # fmt: skip
    assert (found.owner, found.version) == ("team:t1", 7)
    assert (found.fixed_headers, found.credential_headers) == ([("x-fixed", "f")], [])


@pytest.mark.parametrize(
    ("credential", "header"),
    [
        (StaticCredential("bearer"), ("authorization", "Bearer s3cret")),
        (StaticCredential("authorization"), ("authorization", "s3cret")),
        (StaticCredential("header", "x-api-key"), ("x-api-key", "s3cret")),
    ],
)
def test_the_credential_stands_where_the_entry_places_it(credential: Credential, header: tuple[str, str]) -> None:
    entry = an_entry(credential=credential)
    installation = replace(GIVEN, bound_places=places_of(entry))
    assert connected(entry, installation, credential="s3cret").credential_headers == [header]


def test_plain_and_secret_answers_fill_their_headers() -> None:
    fields = (Field("site", "string", "x-site"), Field("pass", "secret", "x-pass"))
    installation = replace(OURS, plain_values={"site": "eu"}, secret_names=("pass",), bound_places={"pass": "x-pass"})
    found = connected(an_entry(fields=fields), installation, **{"pass": "p"})
    assert found.credential_headers == [("x-site", "eu"), ("x-pass", "p")]


def test_a_secret_given_for_another_origin_is_not_sent() -> None:
    moved = an_entry("https://elsewhere.test/mcp", credential=BEARER)
    assert refused(moved, GIVEN, credential="s3cret") == "needs_sign_in"


@pytest.mark.parametrize("url", ["https://github.test/mcp/of-somebody-else", "https://github.test/mcp?of=b"])
def test_a_secret_given_for_one_path_is_not_sent_to_another_of_the_same_host(url: str) -> None:
    assert refused(an_entry(url, credential=BEARER), GIVEN, credential="s3cret") == "needs_sign_in"


def test_without_secrets_a_moved_server_needs_nothing_again() -> None:
    assert connected(an_entry("https://elsewhere.test/mcp"), OURS)


def test_what_needs_its_credential_again_or_never_had_one_is_refused() -> None:
    assert refused(ENTRY, replace(OURS, state="needs_sign_in")) == "needs_sign_in"
    assert refused(an_entry(credential=BEARER), OURS) == "needs_sign_in"


IN_A_WORKSPACE = an_entry(
    "https://{region}.github.test/mcp/{workspace}",
    credential=BEARER,
    fields=(Field("region", "string"), Field("workspace", "string"), Field("site", "string", "x-site")),
)


def test_answers_fill_the_address_each_in_its_place() -> None:
    installation = replace(
        GIVEN,
        bound_url="https://eu.github.test/mcp/a%20b",
        plain_values={"region": "eu", "workspace": "a b", "site": "s"},
    )
    found = connected(IN_A_WORKSPACE, installation, credential="s3cret")
    assert found.url == "https://eu.github.test/mcp/a%20b"
    assert found.credential_headers == [("x-site", "s"), ("authorization", "Bearer s3cret")]


@pytest.mark.parametrize("answer", [{"region": "us"}, {"workspace": "v"}])
def test_a_credential_for_one_region_or_workspace_is_not_sent_to_another(answer: dict[str, str]) -> None:
    installation = replace(
        GIVEN,
        bound_url="https://eu.github.test/mcp/w",
        plain_values={"region": "eu", "workspace": "w", **answer},
    )
    assert refused(IN_A_WORKSPACE, installation, credential="s3cret") == "needs_sign_in"


@pytest.mark.parametrize("region", [None, "eu.evil", "eu/../x", "", "eu@evil"])
def test_an_answer_in_the_row_that_makes_no_address_is_refused_with_its_cure(region: str | None) -> None:
    """However it came there: an address is made of checked parts at each use."""
    values = {"workspace": "w"} if region is None else {"workspace": "w", "region": region}
    found = resolve_installation(IN_A_WORKSPACE, replace(OURS, plain_values=values), OpenedSecrets({}, {}))
    assert isinstance(found, InstallationRefusal)
    assert found.code == "needs_sign_in"
    assert "--value region=..." in found.sentence


def test_nobody_looks_at_a_server_whose_address_an_installation_says() -> None:
    assert resolve_without_secrets(IN_A_WORKSPACE) is None
    looked_at = resolve_without_secrets(ENTRY)
    assert looked_at is not None
    assert looked_at.url == "https://github.test/mcp"


def test_a_credential_is_not_sent_in_another_header_than_it_was_given_for() -> None:
    entry = an_entry(credential=StaticCredential("header", "x-log"))
    found = resolve_installation(entry, GIVEN, OpenedSecrets({}, {"credential": "s3cret"}))
    assert isinstance(found, InstallationRefusal)
    assert found.sentence.startswith(
        "The installation 'Ours' of GitHub has secrets that were given to be sent in another way. Run `archway "
        "installations update github@organisation --credential`"
    )
    assert "x-log" not in found.sentence


def test_a_secret_whose_place_is_not_known_is_sent_nowhere() -> None:
    assert refused(an_entry(credential=BEARER), replace(GIVEN, bound_places={}), credential="s") == "needs_sign_in"


def test_it_says_since_when_its_account_is_the_same_and_nothing_where_there_is_none() -> None:
    account = an_account()
    found = resolve_installation(ENTRY, OURS, OpenedSecrets({}, {}), account)
    assert isinstance(found, ResolvedInstallation)
    assert found.signed_in_at == account.created_at.timestamp()
    assert connected(ENTRY, OURS).signed_in_at == 0
