from control.credentials.calling import Calling
from control.credentials.for_caller import ForCaller
from control.credentials.usable import Usable
from control.discovery.as_whom import opened_for, refused_as
from control.registry.credential import NoCredential, Passthrough, TokenExchange
from control.registry.entry import Entry
from core.probes import Probe
from core.resolve import InstallationRefusal
from tests.fakes.registry import an_entry, an_installation
from tests.unit.control.credentials.test_given import Exchanging
from tests.unit.control.credentials.test_usable import SEALS, Renewing

EXCHANGE = an_entry(credential=TokenExchange("p1"))
REFUSED = Probe(fault="upstream_credential", sentence="GitHub said 401.")


async def headers(
    entry: Entry, person: str | None, exchanging: Exchanging | None
) -> tuple[list[tuple[str, str]], str]:
    """What the server is asked with, and whose that is."""
    usable = Usable(SEALS, Renewing(), for_callers=exchanging)
    found, whose = await opened_for(usable, entry, an_installation(), None, person, passing={"provider_away"})
    assert not isinstance(found, InstallationRefusal), found
    return found[0].credential_headers, whose


async def test_a_server_is_asked_as_the_person_who_asks() -> None:
    exchanging = Exchanging(ForCaller("theirs", 0.0, 1.0))
    found, whose = await headers(EXCHANGE, "ann", exchanging)
    assert found == [("authorization", "Bearer theirs")]
    assert [one[0] for one in exchanging.asked] == [Calling.of_person("ann")]
    assert "for the person who asks" in refused_as(REFUSED, whose).sentence


async def test_without_anything_of_that_person_it_is_asked_without_and_why_is_told_where_it_refuses() -> None:
    found, whose = await headers(EXCHANGE, "ann", Exchanging(InstallationRefusal("needs_sign_in", "Sign in there.")))
    assert found == []
    told = refused_as(REFUSED, whose)
    assert told.sentence.endswith("none of the person who asks: Sign in there. GitHub said 401.")
    assert told.fault != "upstream_credential", "the installation has no credential that could be given again"


async def test_where_nobody_is_known_it_is_asked_without() -> None:
    exchanging = Exchanging(ForCaller("theirs", 0.0, 1.0))
    found, whose = await headers(EXCHANGE, None, exchanging)
    assert (found, exchanging.asked) == ([], [])
    assert "nobody is known who asks" in refused_as(REFUSED, whose).sentence


async def test_a_token_that_is_passed_on_is_nobodys_where_nobody_calls() -> None:
    found, whose = await headers(an_entry(credential=Passthrough(("crm",))), "ann", None)
    assert found == []
    assert "takes the identity provider's own token" in whose


async def test_a_provider_that_is_away_is_told_and_the_server_not_asked() -> None:
    away = InstallationRefusal("provider_away", "Try again later.")
    usable = Usable(SEALS, Renewing(), for_callers=Exchanging(away))
    found, _ = await opened_for(usable, EXCHANGE, an_installation(), None, "ann", passing={"provider_away"})
    assert found == away


async def test_an_installation_with_a_credential_of_its_own_is_asked_with_that() -> None:
    found, whose = await headers(an_entry(credential=NoCredential()), "ann", None)
    assert (found, whose) == ([], "")
    assert refused_as(REFUSED, whose) == REFUSED


def test_what_a_server_answers_is_told_as_it_is() -> None:
    answer = Probe(era="modern", version="2026-07-28")
    assert refused_as(answer, "It was asked without.") == answer
