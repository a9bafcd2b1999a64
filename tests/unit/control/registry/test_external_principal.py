from __future__ import annotations

import msgspec
import pytest

from control.registry.external_principal import ExternalPrincipal, principal_of_external, told_of_external
from core.resolve import Principal
from tests.fakes.registry import MADE_AT


def zoe(name: str) -> ExternalPrincipal:
    return ExternalPrincipal(
        id="x1", provider_id="p1", issuer="https://id.test", subject="zoe", name=name, first_seen_at=MADE_AT,
        last_seen_at=MADE_AT, disabled_at=None, version=1,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "title"), [("", "zoe at https://id.test"), ("Zoe", "Zoe (zoe at https://id.test)")])
def test_issuer_and_subject_stand_beside_whatever_they_are_called(name: str, title: str) -> None:
    found = principal_of_external(zoe(name), ["t1"])
    assert found == Principal("external", "x1", title, frozenset({"t1"}))
    assert found.key == "external:x1"


def test_all_that_is_kept_of_them_is_told() -> None:
    assert set(told_of_external(zoe("Zoe"))) == set(ExternalPrincipal.__dataclass_fields__)
    assert msgspec.json.encode(told_of_external(zoe("")))
