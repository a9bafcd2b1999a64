from typing import get_args

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.credential import (
    KINDS,
    Credential,
    NoCredential,
    StaticCredential,
    credential_of,
    kind_of,
    settings_of,
)

ALL = [NoCredential(), StaticCredential("bearer"), StaticCredential("header", "x-key")]


@pytest.mark.parametrize("credential", ALL)
def test_a_credential_is_made_of_its_kind_and_settings_again(credential: Credential) -> None:
    assert credential_of(kind_of(credential), settings_of(credential)) == credential


def test_settings_show_what_is_not_the_usual() -> None:
    assert settings_of(StaticCredential("bearer")) == {"style": "bearer"}
    assert settings_of(StaticCredential("header", "x-key")) == {"style": "header", "header": "x-key"}
    assert settings_of(NoCredential()) == {}


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len(set(KINDS)) == len(get_args(Credential))
    assert {kind_of(one) for one in ALL} <= set(KINDS)


def test_a_kind_without_settings_takes_none() -> None:
    with pytest.raises(BrokenRule, match=r"credential_placement: goes with the credential model .*'static'.* only"):
        credential_of("none", {"style": "bearer"})


def test_a_kind_with_settings_needs_them() -> None:
    with pytest.raises(BrokenRule, match="credential_placement: is needed with the credential model 'static'; give "):
        credential_of("static", None)


def test_settings_of_another_form_are_refused_without_being_repeated() -> None:
    with pytest.raises(BrokenRule) as refused:
        credential_of("static", {"style": "s3cr3t"})
    assert "s3cr3t" not in str(refused.value)
