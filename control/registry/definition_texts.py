"""What a model reads of a tool, made safe to show: marks that hide or turn text are taken out, long text is cut.

Called by `tool_definitions.py` for every text of a definition that models read as words. Each change is told in a
sentence, because an admin who reads the tool here should know that it is not what its server wrote.
"""

import re

# Marks that turn text around or hide it; they have no place in what a model reads as instructions.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
_CUT = " [...]"


def safe_text(given: str, limit: int, field: str) -> tuple[str, list[str]]:
    """The text as it may be shown, and a sentence for each thing that was changed in it.

    `field` is how the sentence names the text, such as "description".
    """
    text, marks = _INVISIBLE.subn("", given)
    changes = []
    if marks:
        what = "character that is" if marks == 1 else "characters that are"
        changes.append(f"Its {field} lost {marks} {what} invisible or would turn text around.")
    if len(text) <= limit:
        return text, changes
    changes.append(f"Its {field} has {len(text)} characters and was cut to {limit}.")
    return text[: limit - len(_CUT)] + _CUT, changes
