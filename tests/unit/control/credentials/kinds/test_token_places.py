import pytest
from msgspec.structs import replace

from control.credentials import dispatch
from control.credentials.kinds.token_places import checked_place, token_at_start, token_headers
from control.registry.broken_rule import BrokenRule
from control.registry.credential import ClientCredentials, OAuthCredential, WithAccount
from control.registry.targets import Target, header
from core.egress.addresses import ANYWHERE

KINDS = [OAuthCredential(issuer="https://login.test"), ClientCredentials(issuer="https://login.test")]
SECRETS = {"access_token": "abc", "credential": "s3cret"}


@pytest.mark.parametrize("credential", KINDS, ids=["oauth", "client_credentials"])
def test_a_token_is_sent_with_each_request_or_given_at_the_start_and_never_both(credential: WithAccount) -> None:
    assert checked_place(credential) == header("authorization")
    assert (token_headers(credential, SECRETS), token_at_start(credential, SECRETS)) == (
        [("authorization", "Bearer abc")], [],
    )  # fmt: skip
    for kind, name in (("variable", "TOKEN"), ("file", "token.txt")):
        placed = replace(credential, **{kind: name})
        target = checked_place(placed)
        assert target == Target(kind, name)  # type: ignore[arg-type]
        assert dispatch.check(placed, ANYWHERE).fills == (target,)
        assert (dispatch.headers(placed, SECRETS), dispatch.at_start(placed, SECRETS)) == ([], [(target, "abc")])


@pytest.mark.parametrize(
    ("settings", "field", "said"),
    [
        ({"variable": "TOKEN", "file": "token"}, "file", "does not go with a variable"),
        ({"variable": "NODE_OPTIONS"}, "variable", "chooses which code runs"),
        ({"variable": "PATH"}, "variable", "is set by Archway"),
        ({"variable": "1X"}, "variable", "must be 1 to 64"),
        ({"file": "../x"}, "file", "must be the name of a file"),
    ],
)
def test_a_place_that_is_none_is_refused(settings: dict[str, str], field: str, said: str) -> None:
    for credential in KINDS:
        with pytest.raises(BrokenRule, match=said) as refused:
            checked_place(replace(credential, **settings))
        assert refused.value.field == f"credential_placement.{field}"
