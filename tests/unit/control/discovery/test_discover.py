import pytest

from control.discovery.discover import (
    MAX_REASON,
    MAX_REPORTED,
    Failure,
    Understood,
    server_facts,
    understand,
    without_secrets,
)
from control.registry.tool_definitions import Found, found_tools
from core.probes import Probe


def test_texts_of_a_server_are_cut_and_its_control_marks_escaped() -> None:
    probe = Probe(
        era="modern", version="2026-07-28", server_name="a\x00\x1b[31m" + "x" * 400, capabilities=["tools"] * 60
    )
    facts = server_facts(probe, found_tools([], []))
    assert facts["server_name"].startswith("a\\x00\\x1b[31m")
    assert len(facts["server_name"]) < 300
    assert len(facts["capabilities"]) == 50


def test_what_was_left_out_is_named_with_the_reason() -> None:
    facts = server_facts(Probe(era="legacy"), found_tools([{"name": "a b", "inputSchema": {}}], []))
    assert facts["tools"] == 0
    assert facts["rejected"][0]["name"] == "a b"


def test_a_secret_that_a_server_repeats_is_blanked() -> None:
    probe = Probe(era="legacy", server_name="s3cr3t", sentence="bad token s3cr3t")
    blanked = without_secrets(probe, {"s3cr3t"})
    assert isinstance(blanked, Probe)
    assert (blanked.sentence, blanked.server_name) == ("bad token <sealed>", "<sealed>")
    assert blanked.era == "legacy"


def test_an_icon_whose_url_repeats_a_secret_reaches_nobody() -> None:
    icons = [{"src": "https://a.example/i.png?key=s3cr3t-key"}]
    probe = Probe(era="legacy", tools=[{"name": "a", "inputSchema": {"type": "object"}, "icons": icons}])
    understood = understand(probe, {"s3cr3t-key"})
    assert isinstance(understood, Understood)
    assert "s3cr3t-key" not in str(understood)
    assert understood.found.notes == (("a", "Its icons was left out: a secret of the installation stands in it."),)


def test_a_short_secret_does_not_blank_ordinary_words() -> None:
    probe = Probe(sentence="a result")
    assert without_secrets(probe, {"a"}) == probe


def test_our_own_reasons_stay_as_they_are() -> None:
    assert without_secrets(Failure("unreachable", "No proxy."), {"proxies"}).reason == "No proxy."  # type: ignore[union-attr]


def test_what_a_proxy_has_to_say_of_the_lists_reaches_what_is_understood() -> None:
    probe = Probe(era="modern", notes=[("", "The list was cut.")], rejected=[("odd", "why")])
    understood = understand(probe, ())
    assert isinstance(understood, Understood)
    assert (understood.found.notes, understood.found.rejected) == ((("", "The list was cut."),), (("odd", "why"),))


def test_a_secret_that_a_server_repeats_in_a_name_or_a_note_is_not_kept_there() -> None:
    listed = [{"name": "is s3cr3t-key", "inputSchema": {"type": "array"}}]
    left_out, notes = [("a", "s3cr3t-key")], [("b", "s3cr3t-key")]
    probe = Probe(era="modern", capabilities=["s3cr3t-key"], tools=listed, rejected=left_out, notes=notes)
    understood = understand(probe, {"s3cr3t-key"})
    assert isinstance(understood, Understood)
    assert "s3cr3t" not in str(understood.facts)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("upstream_credential", "credential_refused"),
        ("upstream_refused", "unreachable"),
        ("upstream_status", "unreachable"),
        ("upstream_error", "unreachable"),
    ],
)
def test_a_refused_credential_is_no_unreachable_server(fault: str, state: str) -> None:
    assert understand(Probe(fault=fault, sentence="Why."), ()) == Failure(state, "Why.")  # type: ignore[arg-type]


def test_long_words_of_a_server_are_cut_after_its_secrets_are_taken_out() -> None:
    sentence = "x" * (MAX_REASON - 3) + "s3cr3t-key"
    failure = understand(Probe(fault="upstream_status", sentence=sentence), {"s3cr3t-key"})
    assert isinstance(failure, Failure)
    assert failure.reason == "x" * (MAX_REASON - 3) + "<se"


def test_what_is_beyond_the_rows_that_are_kept_is_counted() -> None:
    found = Found((), (("a", "why"),) * (MAX_REPORTED + 1), (("b", "what"),) * (MAX_REPORTED + 2))
    facts = server_facts(Probe(era="legacy"), found)
    assert len(facts["rejected"]) == MAX_REPORTED
    assert [note["note"] for note in facts["notes"][:3]] == [
        "1 more are left out than are named here.", "2 more notes are there than these.", "what",
    ]  # fmt: skip
