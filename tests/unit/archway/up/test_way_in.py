"""The link for the first admin, against a small admin API of its own."""

from archway.admin_client import Problem
from archway.up.way_in import way_in


class Api:
    def __init__(self, refuses=""):
        self.refuses, self.posted = refuses, []

    def get(self, path):
        if self.refuses == path:
            raise Problem(401, "nobody")
        return {"user": {"id": "u1"}}

    def post(self, path, body=None):
        if self.refuses == path:
            raise Problem(403, "no")
        self.posted.append((path, body))
        return {"url": "http://127.0.0.1:8400/sign-in/link/s3cret"}


def test_the_admin_for_whom_the_runs_token_acts_gets_a_link_that_needs_no_password():
    api = Api()

    assert way_in(api) == "http://127.0.0.1:8400/sign-in/link/s3cret"
    assert api.posted == [("/users/u1/links", {"purpose": "sign_in"})]


def test_a_deployment_whose_admins_are_all_gone_starts_without_one():
    assert way_in(Api("/me")) == ""
    assert way_in(Api("/users/u1/links")) == ""
