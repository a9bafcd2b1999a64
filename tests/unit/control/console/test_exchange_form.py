from control.console.exchange_form import SECRET, exchange_of_form, field_of_exchange, form_of_exchange
from control.console.forms import Form, typed
from control.registry.identity_provider import NO_EXCHANGE, Exchange


def test_the_form_of_an_exchange_makes_the_same_exchange_again() -> None:
    before = Exchange(
        enabled=True, style="on_behalf_of", token_endpoint="https://id.example.com/x", client_id="ex",
        client_authentication="client_secret_post", subject_token="id_token", sends_scope=False,
        parameters={"connection": "corp"},
    )  # fmt: skip
    for one in (before, NO_EXCHANGE):
        form = Form(form_of_exchange(one))
        assert Exchange(**exchange_of_form(form)["exchange"]) == one
        assert form.value(SECRET) == ""


def test_what_is_emptied_is_empty_and_a_form_that_does_not_ask_changes_nothing() -> None:
    emptied = typed({**form_of_exchange(Exchange(client_id="ex")), "exchange-client_id": ""})
    assert exchange_of_form(emptied)["exchange"]["client_id"] == ""
    assert exchange_of_form(typed({"slug": "corp"})) == {}


def test_what_is_wrong_stands_at_its_field() -> None:
    paths = ("exchange.client_id", "exchange.parameters.a", "exchange_client_secret", "issuer")
    assert [field_of_exchange(one) for one in paths] == [
        "exchange-client_id", "exchange-parameters", "exchange_client_secret", "issuer",
    ]  # fmt: skip
