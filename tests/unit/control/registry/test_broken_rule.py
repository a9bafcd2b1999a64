from control.registry.broken_rule import BrokenRule


def test_a_broken_rule_names_its_field_and_the_cure() -> None:
    broken = BrokenRule("fields[0].header", "is required; give it")
    assert (broken.field, broken.message) == ("fields[0].header", "is required; give it")
    assert str(broken) == "fields[0].header: is required; give it"
