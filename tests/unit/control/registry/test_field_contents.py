from control.registry.field_contents import Content, field_contents, field_headers
from control.registry.fields import Field
from control.registry.targets import Target

FIELDS = (
    Field("region", "string", variable="REGION"),
    Field("key", "secret", file="key.pem"),
    Field("tenant", "number", "x-tenant"),
    Field("folder", "string"),
    Field("unanswered", "string", variable="OTHER", required=False),
)


def test_each_answer_goes_where_its_field_says_and_no_other_is_made_up() -> None:
    plain = {"region": "eu", "tenant": 7.0, "folder": "/data"}
    assert list(field_contents(FIELDS, plain, {"key": "pem"})) == [
        Content(Target("variable", "REGION"), "eu", is_secret=False),
        Content(Target("file", "key.pem"), "pem", is_secret=True),
        Content(Target("header", "x-tenant"), "7", is_secret=False),
    ]


def test_headers_are_told_apart() -> None:
    assert field_headers(FIELDS, {"region": "eu", "tenant": 7}, {"key": "pem"}) == [("x-tenant", "7")]


def test_what_one_says_of_a_secret_field_in_plain_is_not_taken() -> None:
    assert list(field_contents(FIELDS, {"key": "plain"}, {})) == []
