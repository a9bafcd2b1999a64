from archway.admin.show import sheet_text, table_text


def test_what_is_nested_is_an_indented_block_below_its_name():
    text = sheet_text({"id": "x", "connect": {"client": {"url": "http://h"}}})

    assert text.splitlines()[:3] == ["id       x", "connect", "    {"]
    assert '        "url": "http://h"' in text


def test_short_lists_and_maps_stay_on_one_line():
    text = sheet_text({"labels": {"kind": "demo"}, "teams": ["A", "B"]})

    assert text == "labels  kind=demo\nteams   A, B"


def test_no_line_ends_with_blanks():
    sheet = sheet_text({"description": "", "id": "x"})
    table = table_text([{"a": "long value", "b": ""}, {"a": "x", "b": "y"}], ("a", "b"))

    assert all(line == line.rstrip() for line in [*sheet.splitlines(), *table.splitlines()])


def test_a_table_is_as_wide_as_its_cells_and_never_wrapped():
    lines = table_text([{str(number): "x" * 60 for number in range(9)}], tuple("012345678")).splitlines()

    assert len(lines) == 2
    assert lines[1].split() == ["x" * 60] * 9


def test_a_servers_text_moves_no_cursor():
    assert "\x1b" not in sheet_text({"name": "a\x1b[2J", "nested": {"deep": {"b": "\x9b2J"}}})
    assert "\x9b" not in sheet_text({"nested": {"deep": {"b": "\x9b2J"}}})


def test_sentences_are_a_line_each_and_no_json():
    sentences = ["No tool is assigned; assign at least one.", "Nobody can see it; choose teams with members."]

    assert sheet_text({"reasons": [*sentences, "x" * 80]}).splitlines() == [
        "reasons",
        *(f"    {one}" for one in sentences),
        "    " + "x" * 80,
    ]
