import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.run_names import check_content, check_file, check_variable
from control.registry.targets import Target


@pytest.mark.parametrize("name", ["API_KEY", "_x", "GITHUB_TOKEN", "path_to_data", "NODE_ENV"])
def test_a_variable_of_a_servers_own_may_be_set_and_asked_for(name: str) -> None:
    assert check_variable(name, "x", asked=True) == Target("variable", name)


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A=B", "A B", "É", "A" * 65, "A\n"])
def test_what_is_no_name_of_a_variable_is_refused(name: str) -> None:
    with pytest.raises(BrokenRule, match="x: must be 1 to 64 letters"):
        check_variable(name, "x")


@pytest.mark.parametrize("name", ["PATH", "HOME", "ARCHWAY_BRIDGE_TOKEN", "archway_x", "KUBERNETES_SERVICE_HOST"])
def test_what_the_runtime_sets_is_set_by_nobody_else(name: str) -> None:
    with pytest.raises(BrokenRule, match="is set by Archway"):
        check_variable(name, "x")


@pytest.mark.parametrize("name", ["LD_PRELOAD", "LD_LIBRARY_PATH", "ld_preload", "DYLD_INSERT_LIBRARIES"])
def test_what_would_load_code_into_the_bridge_is_set_by_nobody(name: str) -> None:
    with pytest.raises(BrokenRule, match="loads code"):
        check_variable(name, "x")


@pytest.mark.parametrize(
    "name",
    [
        "NODE_OPTIONS",
        "PYTHONPATH",
        "npm_config_registry",
        "UV_INDEX_URL",
        "BASH_ENV",
        "LUA_INIT",
        "DOTNET_STARTUP_HOOKS",
    ],
)
def test_what_chooses_the_code_an_entry_may_set_and_an_answer_may_not(name: str) -> None:
    assert check_variable(name, "x") == Target("variable", name)
    with pytest.raises(BrokenRule, match="no answer may do that"):
        check_variable(name, "x", asked=True)


@pytest.mark.parametrize("name", ["ca.pem", "key", "_x", "a-b.c"])
def test_a_file_is_one_segment_of_a_path(name: str) -> None:
    assert check_file(name, "x") == Target("file", name)


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../a", "/a", "-a", "a b", "a\0", "a" * 65])
def test_what_is_no_such_segment_is_refused(name: str) -> None:
    with pytest.raises(BrokenRule, match="must be the name of a file in /run/secrets/mcp"):
        check_file(name, "x")


def test_a_content_may_have_lines_and_letters_of_any_script() -> None:
    assert check_content("-----BEGIN-----\nÄ\t漢\r\n", "x") == "-----BEGIN-----\nÄ\t漢\r\n"


@pytest.mark.parametrize("text", ["", "s3cr\0t", "s3cr\x1bt", "s3cr\ud800t", "s3cr" * 5_000])
def test_what_cannot_be_held_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BrokenRule) as refused:
        check_content(text, "x")
    assert "s3cr" not in str(refused.value)
