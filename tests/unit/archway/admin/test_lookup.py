"""Objects by the names that people use."""

import pytest

from archway.admin.lookup import NotNamed, find

ID = "01890000-0000-7000-8000-00000000000"
INSTALLATIONS = [
    {"id": f"{ID}1", "name": "CRM", "address": "crm@organisation"},
    {"id": f"{ID}2", "name": "Ours", "address": "crm@Support"},
    {"id": f"{ID}3", "name": "Ours", "address": "crm@Sales"},
]
GATEWAYS = [{"id": f"{ID}4", "slug": "sales", "name": "Sales"}, {"id": f"{ID}5", "slug": "ops", "name": "sales"}]


class Api:
    """Finds installations by name as the admin API does, and lists everything else whole."""

    def pages(self, path, **query):
        if path == "/installations":
            text = query["name"].casefold()
            return iter([one for one in INSTALLATIONS if text in {one["name"].casefold(), one["address"].casefold()}])
        assert not query
        return iter(GATEWAYS)


@pytest.mark.parametrize(
    ("kind", "text", "number"),
    [
        ("installation", "crm", "1"),
        ("installation", "crm@organisation", "1"),
        ("installation", "CRM@support", "2"),
        ("gateway", "SALES", "4"),  # the slug goes before the name
        ("gateway", "ops", "5"),
        ("gateway", f"{ID}9", "9"),  # an identifier is taken as it is
    ],
)
def test_an_object_is_found_by_each_of_its_names_in_whatever_case(kind, text, number):
    assert find(Api(), kind, text) == f"{ID}{number}"


def test_several_of_one_name_are_told_apart():
    with pytest.raises(NotNamed) as refused:
        find(Api(), "installation", "ours")
    assert str(refused.value) == (f"several go by 'ours'; name one by its id: {ID}2 (crm@Support), {ID}3 (crm@Sales)")


@pytest.mark.parametrize(
    ("kind", "shown"), [("installation", "the name or address 'x'"), ("gateway", "the slug or name 'x'")]
)
def test_what_nobody_is_called_names_the_list(kind, shown):
    with pytest.raises(NotNamed) as refused:
        find(Api(), kind, "x")
    assert str(refused.value) == f"no {kind} has {shown}; see `archway {kind}s list`"


def test_a_kind_of_two_words_is_named_as_people_write_it():
    with pytest.raises(NotNamed, match="no identity provider has"):
        find(Api(), "identity_provider", "nowhere")
