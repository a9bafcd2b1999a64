"""What is said against objects whose kinds are no part of Kubernetes, by schemas of our own: `schemas/KIND.json`.

They are written from the documents of those kinds and are narrower than the real ones: a field that the chart does
not use is refused, so that a misspelt one is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

FOLDER = Path(__file__).with_name("schemas")
KINDS = frozenset(path.stem for path in FOLDER.glob("*.json"))


def said_against_custom(custom_object: dict[str, Any]) -> str:
    """The first complaint about it, with the path of the field; '' where there is none."""
    schema = json.loads((FOLDER / f"{custom_object['kind']}.json").read_text())
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(custom_object))
    return "" if error is None else f"{error.json_path}: {error.message}"
