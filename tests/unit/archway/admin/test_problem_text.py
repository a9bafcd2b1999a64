import pytest

from archway.admin.entries import ENTRY_CHANGES
from archway.admin.environments import ENVIRONMENT
from archway.admin.problem_text import problem_text
from archway.admin.resource import Option
from archway.admin_client import Problem

TEAM = Option("team_id", "", "reference", of="team", flag="team")
TOOLS = Option("tools", "", "list", flag="tool")
SINCE = Option("from", "", flag="since")
PLACEMENT = Option("credential_placement", "", "json", example='{"style": "bearer"}')
EXPIRES = Option("expires_at", "")
OPTIONS = (TEAM, TOOLS, SINCE, PLACEMENT, EXPIRES)


def refused(field, message, given=None, status=422):
    problem = Problem(status, "Unprocessable Entity", f"{field}: {message}", [(field, message)])
    return problem_text(problem, OPTIONS, given)


def test_a_field_is_named_by_its_option_and_said_once():
    assert refused("team_id", "is needed for a token of a team") == "--team: is needed for a token of a team (422)"


def test_a_member_of_a_list_is_named_by_the_value_that_was_typed():
    text = refused(
        "tools[1]", "is not a tool of crm; list /entries/0190/tools", {"tool": ["add", "ad"], "entry": "crm"}
    )

    assert text == "--tool ad: is not a tool of crm; see `archway entries tools crm` (422)"


@pytest.mark.parametrize(
    ("message", "cure"),
    [
        ("is not the id of a user; list /users", "is not the id of a user; see `archway users list`"),
        (
            "names no team; list /teams",
            "names no team; see `archway teams list`",
        ),
        ("give a later time, or null for none", "give a later time, or leave it out for none"),
        ("goes with `team_id` only", "goes with `--team` only"),
        ("goes with expires_at", "goes with --expires-at"),
        ("must not be after the one in from", "must not be after the one in from"),
    ],
)
def test_a_cure_names_commands_and_options(message, cure):
    assert refused("from", message) == f"--since: {cure} (422)"


def test_an_option_of_an_unusual_form_shows_one_that_would_do():
    text = refused("credential_placement.style", "is required")

    assert text.startswith("--credential-placement style: is required; for example ")
    assert """--credential-placement '{"style": "bearer"}'""" in text


def test_the_example_is_of_the_form_that_the_deciding_option_names():
    by_model = ("credential_model", {"oauth": '{"scopes": ["repo"]}'})
    option = Option("credential_placement", "", "json", example='{"style": "bearer"}', examples_by=by_model)
    problem = Problem(422, "", "credential_placement.scope: is wrong", [("credential_placement.scope", "is wrong")])

    assert problem_text(problem, [option], {"credential_model": "oauth"}).count('{"scopes": ["repo"]}') == 1
    assert '{"style": "bearer"}' in problem_text(problem, [option], {"credential_model": None})


def test_a_deletion_that_would_take_more_along_names_the_option():
    errors = [("cascade", "is required: 2 installations"), ("cascade", "is required: 1 assignment")]
    detail = "The entry is in use by 2 installations, 1 assignment. Delete those first, or add ?cascade=true."

    text = problem_text(Problem(409, "Conflict", detail, errors), OPTIONS)

    assert text == detail.replace("?cascade=true", "--cascade") + " (409)"


def test_several_fields_have_a_line_each():
    errors = [("team_id", "is required"), ("tools", "must not be empty")]

    text = problem_text(Problem(422, "Unprocessable", "team_id: is required (and 1 more)", errors), OPTIONS)

    assert text == "--team: is required (422)\n--tool: must not be empty"


def test_a_sentence_that_says_more_than_its_fields_stays():
    text = problem_text(Problem(422, "Unprocessable", "Not like this.", [("team_id", "is required")]), OPTIONS)

    assert text == "Not like this. (422)\n  --team: is required"


def test_a_field_without_an_option_keeps_its_name():
    assert refused("body", "must be an object") == "body: must be an object (422)"


def test_who_is_asked_for_by_id_is_asked_for_by_name_here():
    problem = Problem(422, "", "x", [("team_id", "is needed with the scope 'team'; give the team's id")])
    team = Option("team_id", "", "reference", of="team", flag="team")

    assert problem_text(problem, [team]).endswith("--team: is needed with the scope 'team'; name the team")


@pytest.mark.parametrize(
    ("options", "field", "given", "place"),
    [
        (ENTRY_CHANGES, "run.image", {"image": "nginx:1"}, "--image"),
        (ENTRY_CHANGES, "run.resources.memory", {}, "--memory"),
        (ENTRY_CHANGES, "run", {"override": "F"}, "--override"),
        (ENVIRONMENT.update, "quota.memory", {"quota_memory": "abc"}, "--quota-memory"),
        (ENVIRONMENT.update, "egress.mode", {"egress": "no"}, "--egress"),
        (ENVIRONMENT.update, "egress.cidrs[1]", {"cidr": ["10.0.0.0/8", "x"]}, "--cidr x"),
        (ENVIRONMENT.update, "egress.cidrs", {"add_cidr": ["x"]}, "--add-cidr"),
        (ENVIRONMENT.update, "tolerations[0].key", {}, "--tolerations [0] key"),
    ],
)
def test_a_member_of_an_object_is_named_by_its_own_option_and_by_the_one_that_was_typed(options, field, given, place):
    text = problem_text(Problem(422, "", f"{field}: is wrong", [(field, "is wrong")]), options, given)
    assert text.startswith(f"{place}: is wrong")


def test_a_cure_names_a_member_of_an_object_by_its_option():
    problem = Problem(422, "", "presets: goes with the `egress.mode` restricted", [])
    assert "goes with the `--egress` restricted" in problem_text(problem, ENVIRONMENT.update, {})
