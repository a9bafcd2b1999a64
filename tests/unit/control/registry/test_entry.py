from control.registry.credential import StaticCredential
from control.registry.entry import Remote, bound_origin, told_of_entry
from control.registry.fields import Field
from tests.fakes.registry import MADE_AT, an_entry


def test_people_are_told_of_an_entry_in_the_words_of_the_admin_api() -> None:
    entry = an_entry(
        teams=("t1",), visibility="teams", credential=StaticCredential("header", "x-key"),
        fields=(Field("site", "select", "x-site", options=("eu",)),), fixed_header_names=("x-b",),
    )  # fmt: skip
    told = told_of_entry(entry)
    assert (told["kind"], told["url"]) == ("remote", "https://github.test/mcp")
    assert (told["credential_model"], told["credential_placement"]) == (
        "static",
        {"style": "header", "header": "x-key"},
    )
    assert (told["teams"], told["fields"][0]["options"], told["created_at"]) == (["t1"], ["eu"], MADE_AT)


def test_nobody_is_told_of_sealed_headers() -> None:
    entry = an_entry(fixed_headers=b"s3aled", fixed_header_names=("x-b",))
    assert told_of_entry(entry)["fixed_header_names"] == ["x-b"]
    assert "s3aled" not in str(told_of_entry(entry))
    assert "s3aled" not in repr(entry)


def test_a_remote_server_is_bound_to_the_origin_of_its_url() -> None:
    assert bound_origin(Remote("https://A.test/mcp")) == "https://a.test"
