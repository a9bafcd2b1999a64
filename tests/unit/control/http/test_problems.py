"""Problem documents."""

from __future__ import annotations

import pytest

from control.changes.refusals import NotAllowed, NotNow, NotThere, Refused, Stale, refuse_in_use
from control.http.problems import CONSTRAINTS, FieldError, Problem, of_conflict, of_refused
from control.store.pool import Pool, StoreConflict, transaction


def test_a_problem_has_the_members_of_rfc_9457_and_ours() -> None:
    document = Problem(422, "name: is required", [FieldError("name", "is required")]).document("r-1")
    assert document == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "name: is required",
        "errors": [{"field": "name", "message": "is required"}],
        "request_id": "r-1",
    }


def test_a_known_constraint_names_its_field() -> None:
    problem = of_conflict(StoreConflict("teams_name"))
    assert (problem.status, problem.errors[0].field) == (409, "name")


def test_an_unknown_constraint_or_another_writer_gets_the_general_sentence() -> None:
    for constraint in ("", "something_else"):
        assert of_conflict(StoreConflict(constraint)).detail.startswith("The request conflicts with what is stored")


@pytest.mark.parametrize(
    ("refused", "status"),
    [(NotThere("team"), 404), (NotAllowed("This needs an admin."), 403), (NotNow("Taken."), 409), (Stale(), 412)],
)
def test_what_a_change_refuses_has_its_status_and_its_sentence(refused: Refused, status: int) -> None:
    problem = of_refused(refused)
    assert (problem.status, problem.detail, problem.errors) == (status, str(refused), ())


def test_fields_that_a_change_names_are_named() -> None:
    problem = of_refused(NotNow("Taken.", [("name", "choose another")]))
    assert problem.errors == (FieldError("name", "choose another"),)


def test_what_depends_on_an_object_may_go_too_where_the_query_says_so() -> None:
    with pytest.raises(NotNow) as refused:
        refuse_in_use("entry", ["this", "that"], cascade=False)
    problem = of_refused(refused.value)
    assert problem.detail == "The entry is in use by this, that. Delete those first, or add ?cascade=true."
    assert problem.errors[0] == FieldError("cascade", "is needed, to delete this too")


async def test_every_constraint_that_has_a_sentence_exists_in_the_schema(pool: Pool) -> None:
    async with transaction(pool, readonly=True) as connection:
        rows = await connection.fetch(
            "select conname::text as name from pg_constraint union select indexname from pg_indexes"
        )
    assert CONSTRAINTS.keys() <= {row["name"] for row in rows}
