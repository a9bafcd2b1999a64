"""Pages: what every one of them has, and that nothing in one is taken for markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from aiohttp.web import Request

from control.console.rendering import TEMPLATES, environment, page_text, render
from control.public.visitor import VISITOR, Visitor
from control.registry.access import Caller

PAGES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))


def request(path: str = "/find", name: str = "Ann", **headers: str) -> Request:
    made = make_mocked_request("GET", path, headers=headers)
    made[VISITOR] = Visitor(Caller("u", name, "member"), "s", "the-form-token")
    return made


def found(made: Request, **values: object) -> str:
    return page_text(made, "find/found.html", **{"find_text": "", "found": []} | values)


def test_a_page_is_an_answer_in_utf_8_with_its_status() -> None:
    answer = render(request(), "find/found.html", status=422, find_text="", found=[])
    assert (answer.status, answer.content_type, answer.charset) == (422, "text/html", "utf-8")


def test_a_name_is_shown_as_text_whatever_is_in_it() -> None:
    text = found(request(name="<script>alert(1)</script>\u202e"))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩" in text


def test_what_was_looked_for_stays_in_its_field_and_breaks_out_of_nothing() -> None:
    assert 'value="&#34; autofocus onfocus=&#34;x"' in found(request(), find_text='" autofocus onfocus="x')


def test_the_theme_that_was_chosen_is_there_from_the_first_byte() -> None:
    assert '<html lang="en" data-theme="dark">' in found(request(Cookie="archway-theme=dark"))


@pytest.mark.parametrize("given", ["", "sepia", '"><b>'])
def test_a_theme_that_there_is_not_is_that_of_the_system(given: str) -> None:
    assert '<html lang="en">' in found(request(Cookie=f"archway-theme={given}"))


def test_what_was_done_is_said_in_our_words_alone() -> None:
    assert 'role="status"' in found(request("/find?said=saved"))
    assert "winner" not in found(request("/find?said=winner"))


def test_the_form_that_signs_out_brings_the_sessions_token() -> None:
    assert 'action="/sign-out"><input type="hidden" name="csrf" value="the-form-token">' in found(request())


@pytest.mark.parametrize("name", PAGES)
def test_a_template_has_at_most_200_lines(name: str) -> None:
    assert len((TEMPLATES / name).read_text().splitlines()) <= 200


@pytest.mark.parametrize("name", PAGES)
def test_a_template_can_be_read_and_has_no_script_and_no_style_of_its_own(name: str) -> None:
    assert environment().get_template(name)
    text = (TEMPLATES / name).read_text()
    inline = re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)|\|\s*safe\b|hx-on", text)
    assert not inline


@pytest.mark.parametrize("name", PAGES)
def test_every_form_that_changes_something_brings_the_sessions_token(name: str) -> None:
    text = (TEMPLATES / name).read_text()
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL)
    assert all("csrf(" in form or "csrf }}" in form or 'name="csrf"' in form for form in forms)


def test_templates_are_in_the_package() -> None:
    assert "console/templates/**/*.html" in Path("pyproject.toml").read_text()
