"""Problem documents."""

from __future__ import annotations

from control.http.problems import CONSTRAINTS, FieldError, Problem, conflict, of_conflict
from control.store.pool import Pool, StoreConflict, transaction


def test_a_problem_has_the_members_of_rfc_9457_and_ours() -> None:
    document = Problem(422, "name: is needed", [FieldError("name", "is needed")]).document("r-1")
    assert document == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "name: is needed",
        "errors": [{"field": "name", "message": "is needed"}],
        "request_id": "r-1",
    }


def test_a_known_constraint_names_its_field() -> None:
    problem = of_conflict(StoreConflict("teams_name"))
    assert (problem.status, problem.errors[0].field) == (409, "name")


def test_an_unknown_constraint_or_another_writer_gets_the_general_sentence() -> None:
    for constraint in ("", "something_else"):
        assert of_conflict(StoreConflict(constraint)).detail == conflict("The request clashes with what is stored, "
            "or with another writer. Read again, then retry.").detail  # fmt: skip


async def test_every_constraint_that_has_a_sentence_exists_in_the_schema(pool: Pool) -> None:
    async with transaction(pool, readonly=True) as connection:
        rows = await connection.fetch(
            "select conname::text as name from pg_constraint union select indexname from pg_indexes"
        )
    assert CONSTRAINTS.keys() <= {row["name"] for row in rows}
