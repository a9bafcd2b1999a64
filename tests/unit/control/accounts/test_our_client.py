"""What Archway says of itself at providers follows from where its pages are."""

from __future__ import annotations

import pytest

from control.accounts.our_client import of_entry, our_client


def test_people_come_back_to_the_pages_and_the_document_is_below_the_same_address() -> None:
    ours = of_entry(our_client("https://tools.example.com"), "github")
    assert ours.redirect_uri == "https://tools.example.com/install/callback/github"
    assert ours.document_url == "https://tools.example.com/oauth/clients-of-servers/github"


@pytest.mark.parametrize("pages", ["http://127.0.0.1:8400", "http://tools.example.com", "https://localhost:8443"])
def test_where_others_cannot_read_a_document_none_is_named(pages: str) -> None:
    assert our_client(pages).document_url == of_entry(our_client(pages), "github").document_url == ""
