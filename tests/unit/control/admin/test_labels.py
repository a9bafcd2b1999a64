import pytest

from control.admin.labels import label_filter
from control.http.problems import Problem


def test_a_filter_names_a_label_and_its_value() -> None:
    assert label_filter("team=a=b") == {"team": "a=b"}
    assert label_filter("") is None


@pytest.mark.parametrize("given", ["team", "=value"])
def test_what_is_no_label_is_refused(given: str) -> None:
    with pytest.raises(Problem, match="label: must be name=value"):
        label_filter(given)
