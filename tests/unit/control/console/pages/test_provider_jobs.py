from __future__ import annotations

import pytest

from control.console.forms import REFUSALS, Form
from control.console.pages.provider_jobs import rule_of
from core.identifiers import new_id

ACCOUNT = new_id()


def test_each_line_of_the_form_is_a_claim_and_its_value() -> None:
    form = Form({"oauth_client_id": ACCOUNT, "claims": "repository=acme/shop\n\n ref = refs/tags/*\r\na=b=c"})
    assert rule_of(form) == {
        "oauth_client_id": ACCOUNT,
        "claims": {"repository": "acme/shop", "ref": "refs/tags/*", "a": "b=c"},
    }


@pytest.mark.parametrize("claims", ["", "repository", "=acme", "repository="])
def test_a_line_that_is_no_claim_is_refused(claims: str) -> None:
    with pytest.raises(REFUSALS):
        rule_of(Form({"oauth_client_id": ACCOUNT, "claims": claims}))
