import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.images import Image, check_image, image_of

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("reference", "image"),
    [
        ("server", Image("", "server", "", "")),
        ("team/server:1.2", Image("", "team/server", "1.2", "")),
        ("registry.test/team/server:1.2", Image("registry.test", "team/server", "1.2", "")),
        ("localhost:5000/server", Image("localhost:5000", "server", "", "")),
        ("localhost/server", Image("localhost", "server", "", "")),
        ("[::1]:5000/server:v", Image("[::1]:5000", "server", "v", "")),
        (f"registry.test/a/b__c-d@{DIGEST}", Image("registry.test", "a/b__c-d", "", DIGEST)),
        (f"registry.test/a:1@{DIGEST}", Image("registry.test", "a", "1", DIGEST)),
    ],
)
def test_a_reference_is_read_into_its_parts(reference: str, image: Image) -> None:
    assert image_of(reference) == image
    assert check_image(reference) == reference


@pytest.mark.parametrize(
    "reference",
    [
        "", "https://registry.test/a", "registry.test/", "registry.test/A", "a b", "a:", "a:-x", "a@sha256:12",
        "a@md5:" + "0" * 32, "../a", "a/../b", "registry.test//a", "-registry.test/a", "a\n", "evil@registry.test/a",
        "registry.test/" + "a" * 250, "a:" + "t" * 129, "registry.test:99999999/a", "$(id)", "a" * 600,
        "169.254.169.254/a", "0xa9fea9fe:80/a", "[fe80::1]/a",
    ],
)  # fmt: skip
def test_what_is_none_is_refused_at_its_field(reference: str) -> None:
    with pytest.raises(BrokenRule, match=r"run\.image: (must|has)"):
        check_image(reference)
