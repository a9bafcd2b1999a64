from control.credentials.calling import Calling
from core.resolve import JwtProof, Principal, TokenProof

ANN = Principal("user", "ann", "Ann")


def test_a_signed_token_is_the_callers_own_and_of_another_only_the_digest_is_known() -> None:
    assert Calling(ANN, "provider_token", JwtProof.of("a.b.c")).own_token == "a.b.c"
    assert Calling(ANN, "user_token", TokenProof("d" * 64)).own_token == ""


def test_a_caller_is_shown_without_the_token() -> None:
    assert "a.b.c" not in repr(Calling(ANN, "provider_token", JwtProof.of("a.b.c")))


def test_a_person_for_whom_a_server_is_asked_has_no_token_of_a_provider() -> None:
    calling = Calling.of_person("ann")
    assert (calling.principal.key, calling.kind, calling.own_token) == ("user:ann", "user_token", "")
