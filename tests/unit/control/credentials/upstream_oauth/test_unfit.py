from __future__ import annotations

from control.credentials.upstream_oauth.unfit import AskTheAdmin, CannotSignIn, NotApproved


def test_an_admin_reads_which_hosts_to_look_at_and_where() -> None:
    refused = NotApproved("https://as.example", ("https://one.example", "https://two.example"))
    assert refused.hosts == ("https://one.example", "https://two.example")
    assert "https://one.example, https://two.example" in str(refused)
    assert "`approved_hosts`" in str(refused)


def test_an_admin_reads_the_callback_url_that_a_providers_form_asks_for() -> None:
    refused = AskTheAdmin("https://as.example", "https://tools.example/back", "does not let Archway register itself")
    assert isinstance(refused, CannotSignIn)
    assert "https://tools.example/back" in str(refused)
    assert refused.callback == "https://tools.example/back"
