from control.registry.definition_texts import safe_text


def test_ordinary_text_stands_and_nothing_is_told() -> None:
    assert safe_text("Finds a contact.\n\tBy name.", 64, "description") == ("Finds a contact.\n\tBy name.", [])


def test_text_of_exactly_the_limit_stands() -> None:
    assert safe_text("x" * 64, 64, "title") == ("x" * 64, [])


def test_longer_text_is_cut_to_the_limit_and_ends_in_a_mark_that_says_so() -> None:
    text, told = safe_text("x" * 65, 64, "title")
    assert (len(text), text[-6:]) == (64, " [...]")
    assert told == ["Its title has 65 characters and was cut to 64."]


def test_marks_that_hide_or_turn_text_are_taken_out_and_counted() -> None:
    text, told = safe_text("a\u202eb\u2066c\u200bd\x00e\U000e0041", 64, "description")
    assert text == "abcde"
    assert told == ["Its description lost 5 characters that are invisible or would turn text around."]
