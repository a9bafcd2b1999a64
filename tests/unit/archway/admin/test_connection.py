import pytest

from archway.admin.connection import TOKEN, URL, NoApi, connect, where_taken_from
from archway.admin_client import Problem, Unreachable


@pytest.mark.parametrize(("there", "missing"), [(URL, TOKEN), (TOKEN, URL)])
def test_of_half_an_address_the_missing_half_is_named(monkeypatch, tmp_path, there, missing):
    monkeypatch.setenv(there, "http://127.0.0.1:1")
    monkeypatch.delenv(missing, raising=False)

    with pytest.raises(NoApi, match=f"{there} is set and {missing} is not"):
        connect(tmp_path)


@pytest.mark.parametrize("end", ["", "/", "/api/v1", "/api/v1/"])
def test_an_address_may_end_with_the_apis_path(monkeypatch, tmp_path, end):
    monkeypatch.setenv(URL, "https://admin.example.com" + end)
    monkeypatch.setenv(TOKEN, "arch_x")

    assert connect(tmp_path).url == "https://admin.example.com"


def test_a_refused_token_and_a_wrong_address_name_their_variables(monkeypatch):
    monkeypatch.setenv(URL, "https://admin.example.com")

    assert TOKEN in where_taken_from(Problem(401, "Unauthorized"))
    assert URL in where_taken_from(Unreachable("no answer"))
    assert where_taken_from(Problem(422, "Unprocessable")) == ""


def test_without_the_variables_nobody_is_pointed_at_them(monkeypatch):
    monkeypatch.delenv(URL, raising=False)

    assert where_taken_from(Problem(401, "Unauthorized")) == ""
