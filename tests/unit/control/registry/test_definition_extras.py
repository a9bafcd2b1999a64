from typing import Any

import pytest

from control.registry.definition_extras import MAX_ICON_DATA, MAX_ICONS, extras_of

ICON = {"src": "https://a.example/i.png"}
NO_TASKS = "Its execution was left out: taskSupport should be one of required, optional, forbidden."


@pytest.mark.parametrize(
    "extras",
    [
        {"annotations": {"readOnlyHint": True, "title": "Time"}},
        {"icons": [{**ICON, "mimeType": "image/svg+xml", "sizes": ["48x48", "any"], "theme": "dark"}]},
        {"icons": [{"src": "data:image/png;base64,iVBORw0KGgo="}]},
        {"execution": {"taskSupport": "required"}},
        {"_meta": {"ui": {"resourceUri": "ui://x"}, "com.example/tags": ["a"]}},
    ],
)
def test_what_is_of_the_protocols_shape_goes_on_as_it_is(extras: dict[str, Any]) -> None:
    assert extras_of({"name": "t", **extras}) == (extras, [])


@pytest.mark.parametrize("field", ["annotations", "icons", "execution", "_meta"])
def test_null_is_as_good_as_absent(field: str) -> None:
    assert extras_of({field: None}) == ({}, [])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"annotations": []}, "Its annotations were left out: they should be an object."),
        (
            {"annotations": {"readOnlyHint": "yes"}},
            "Its annotations.readOnlyHint was left out: it should be true or false.",
        ),
        ({"annotations": {"title": 7}}, "Its annotations.title was left out: it should be a string."),
        ({"icons": {}}, "Its icons were left out: they should be a list."),
        ({"icons": ["https://a.example/i.png"]}, "Its icons[0] was left out: it should be an object."),
        ({"icons": [{}]}, "Its icons[0] was left out: its src should be a string."),
        ({"execution": []}, NO_TASKS),
        ({"execution": {"taskSupport": ["required"]}}, NO_TASKS),
        ({"_meta": []}, "Its _meta was left out: it should be an object."),
        (
            {"_meta": {"archway/refusal": 1, "Archway/x": 2}},
            "Its _meta lost 2 that begin with archway/: only Archway writes those.",
        ),
    ],
)
def test_what_is_of_another_shape_is_left_out_and_told(given: dict[str, Any], sentence: str) -> None:
    assert extras_of(given) == ({}, [sentence])


@pytest.mark.parametrize(
    "source",
    [
        "http://a.example/i.png", "javascript:alert(1)", "https://user:secret@a.example/i.png", "file:///etc/passwd",
        "https:///i.png", "https://a.example/" + "x" * 2_048, "https://a.example/ x", "data:text/html,<script>",
        "data:image/png;base64," + "A" * MAX_ICON_DATA, "https://[", "",
    ],
)  # fmt: skip
def test_an_icon_from_anywhere_but_https_or_image_data_is_left_out_and_the_others_stay(source: str) -> None:
    kept, told = extras_of({"icons": [{"src": source}, ICON]})
    assert kept == {"icons": [ICON]}
    assert len(told) == 1
    assert told[0].startswith("Its icons[0] was left out: ")


def test_what_is_odd_about_an_icon_is_dropped_and_the_icon_stays() -> None:
    kept, told = extras_of(
        {"icons": [{**ICON, "sizes": "48x48", "mimeType": "text/html", "theme": ["dark"], "x": 1}]}
    )
    assert (kept, told) == ({"icons": [ICON]}, [])


@pytest.mark.parametrize(
    "extras",
    [
        {"icons": [{"src": "https://a.example/i.png?token=s3cr3t-key"}]},
        {"icons": [{"src": "data:image/svg+xml,<svg>s3cr3t-key</svg>"}]},
        {"_meta": {"config": {"headers": ["Bearer s3cr3t-key"]}}},
        {"_meta": {"s3cr3t-key": True}},
        {"annotations": {"title": "s3cr3t-key"}},
    ],
)
def test_a_field_that_repeats_a_secret_of_the_installation_is_left_out(extras: dict[str, Any]) -> None:
    (field,) = extras
    assert extras_of(extras, ["s3cr3t-key"]) == (
        {},
        [f"Its {field} was left out: a secret of the installation stands in it."],
    )
    assert extras_of(extras, ["another-key"])[0]


def test_icons_beyond_the_most_are_told() -> None:
    kept, told = extras_of({"icons": [ICON] * (MAX_ICONS + 1)})
    assert len(kept["icons"]) == MAX_ICONS
    assert told == ["It has 9 icons; the first 8 are kept."]
