import pytest

from control.registry.row_seals import RowSeals
from core.keys import new_key, parse_key_ring
from core.sealing import SealBroken
from tests.fakes.registry import an_entry, an_installation

RING = parse_key_ring("ARCHWAY_SECRET_KEY", new_key())


def test_what_a_row_keeps_sealed_opens_for_that_row() -> None:
    seals = RowSeals(RING)
    entry = an_entry(fixed_headers=seals.fixed_headers("e1", {"x-a": "1"}))
    installation = an_installation(secret_values=seals.secret_values("i1", {"credential": "k"}))
    opened = RowSeals(RING).open(entry, installation)
    assert opened.fixed_headers == {"x-a": "1"}
    assert opened.values == {"credential": "k"}
    assert repr(opened) == "OpenedSecrets()"


def test_a_value_copied_to_another_row_opens_for_nobody() -> None:
    stolen = RowSeals(RING).secret_values("i1", {"credential": "k"})
    with pytest.raises(SealBroken):
        RowSeals(RING).open(an_entry(), an_installation(id="i2", secret_values=stolen))
    fixed = RowSeals(RING).fixed_headers("e1", {"x-a": "1"})
    with pytest.raises(SealBroken):
        RowSeals(RING).open(an_entry(id="e2", fixed_headers=fixed), an_installation())


def test_secret_values_open_again_to_change_some_of_them() -> None:
    seals = RowSeals(RING)
    assert seals.open_secret_values("i", seals.secret_values("i", {"pin": "1"})) == {"pin": "1"}
    assert seals.open_secret_values("i", None) == {}


def test_nothing_to_seal_is_kept_as_null() -> None:
    assert RowSeals(RING).secret_values("i", {}) is None
    assert RowSeals(RING).fixed_headers("e", {}) is None
