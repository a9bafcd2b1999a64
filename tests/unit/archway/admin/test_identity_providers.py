"""Identity providers on the command line: examples in the help, and what a test that nobody answered ends with."""

import pytest
from typer.testing import CliRunner

from archway.admin.identity_providers import PROVIDER
from archway.all_commands import app

CORP = "01890000-0000-7000-8000-000000000001"


class Api:
    """Answers to `test` as the admin API does."""

    def __init__(self, enabled=True, fault="", unapproved_hosts=()):
        seen = {"fault": fault, "unapproved_hosts": list(unapproved_hosts)}
        self.answer = {"id": CORP, "slug": "corp", "enabled": enabled, "seen": seen}

    def post(self, path):
        assert path == f"/identity-providers/{CORP}/test"
        return self.answer


@pytest.mark.parametrize(
    ("found", "status", "said"),
    [
        ({}, 0, ""),
        ({"fault": "nobody answers at https://id.test"}, 1, "corp could not be asked: nobody answers"),
        ({"enabled": False}, 1, "archway identity-providers update corp --enabled"),
        ({"unapproved_hosts": ["https://keys.test"]}, 1, "look at https://keys.test"),
    ],
    ids=["it answers", "nobody answers", "switched off", "a host that nobody looked at"],
)
def test_a_provider_that_did_not_answer_ends_with_1_and_says_why(monkeypatch, found, status, said):
    monkeypatch.setattr("archway.admin.commands.connect", lambda _: Api(**found))
    ended = CliRunner().invoke(app, ["identity-providers", "test", CORP])
    assert ended.exit_code == status
    assert said in " ".join(ended.output.split())


@pytest.mark.parametrize("name", ["service_rules", "team_rules", "role_rules", "exchange"])
def test_the_help_of_an_option_in_json_has_its_example(name):
    option = next(one for one in PROVIDER.create if one.name == name)
    assert option.example
    assert option.example in option.help
