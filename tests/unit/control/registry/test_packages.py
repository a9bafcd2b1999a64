import shlex

import pytest

from control.registry.broken_rule import BrokenRule
from control.registry.packages import check_chooses_no_code, package_of, unpinned_package


@pytest.mark.parametrize(
    ("command", "spec", "pinned"),
    [
        ("npx -y @scope/server@1.2.3", "@scope/server@1.2.3", True),
        ("npx server@1.2.3-beta.1 --flag", "server@1.2.3-beta.1", True),
        ("npx -y @scope/server", "@scope/server", False),
        ("npx server@latest", "server@latest", False),
        ("npx server@^1.2.3", "server@^1.2.3", False),
        ("npx server@1", "server@1", False),
        ("npx --package=server@1.2.3 run", "server@1.2.3", True),
        ("npx -p server run", "server", False),
        ("/usr/bin/npx --yes -- server@1.2.3", "server@1.2.3", True),
        ("npx github:a/b", "github:a/b", False),
        (f"npx github:a/b#{'0' * 40}", f"github:a/b#{'0' * 40}", True),
        ("uvx time-server", "time-server", False),
        ("uvx time-server==1.2", "time-server==1.2", True),
        ("uvx time-server@1.2.3", "time-server@1.2.3", True),
        ("uvx time-server@latest", "time-server@latest", False),
        ("uvx --from 'time-server[http]==1.2.3' run --port 1", "time-server[http]==1.2.3", True),
        ("uvx --from 'time-server>=1' run", "time-server>=1", False),
        ("uvx --python 3.12 time-server==1.2", "time-server==1.2", True),
        (f"uvx --from git+https://a.example/b@{'0' * 40} run", f"git+https://a.example/b@{'0' * 40}", True),
        ("uvx --from git+https://a.example/b run", "git+https://a.example/b", False),
    ],
)
def test_a_package_is_the_same_at_each_start_or_not(command: str, spec: str, pinned: bool) -> None:
    found = package_of(shlex.split(command))
    assert found is not None
    assert (found.spec, found.pinned) == (spec, pinned)
    again = package_of([command.split(maxsplit=1)[0], found.example])
    assert spec.startswith("git") or (again is not None and again.pinned)


@pytest.mark.parametrize("command", ["", "server --port 1", "node server.js", "npx", "npx --version"])
def test_what_fetches_nothing_has_none(command: str) -> None:
    assert package_of(shlex.split(command)) is None


@pytest.mark.parametrize(
    "command",
    [
        "npx -y files@1.0.0 ${user_config.x}", "uvx --from files==1 files ${user_config.x}",
        "node server.js ${user_config.x}", "python3 -m server ${user_config.x}", "server ${user_config.x}",
        "sh -c 'exec server \"$0\"' ${user_config.x}", "npx files",
        "uv run server.py ${user_config.x}", "env MODE=fast npx -y files@1.0.0 ${user_config.x}",
        "timeout 9 server ${user_config.x}", "deno run -A server.ts ${user_config.x}",
        "tini -- server ${user_config.x}",
        "node --import ./a.js server.js ${user_config.x}", "uvx mcp-run@1.0.0 ${user_config.x}",
    ],
)  # fmt: skip
def test_an_answer_may_stand_behind_what_runs(command: str) -> None:
    check_chooses_no_code(shlex.split(command))


@pytest.mark.parametrize(
    "command",
    [
        "npx ${user_config.x}", "npx -y ${user_config.x} --flag", "npx -p ${user_config.x} run",
        "npx --registry ${user_config.x} files", "uvx --from ${user_config.x} run", "uvx --index ${user_config.x} a",
        "node ${user_config.x}", "node -e ${user_config.x}", "python3.12 -c ${user_config.x}",
        "/bin/sh -c ${user_config.x}", "bash ${user_config.x}", "env ${user_config.x}", "java -jar ${user_config.x}",
        "node --require ${user_config.x} server.js", "npx -y -- ${user_config.x}", "deno run -A ${user_config.x}",
        "uv run ${user_config.x}", "uv tool run ${user_config.x}", "npm exec -- ${user_config.x}",
        "env MODE=fast node ${user_config.x}", "timeout -s KILL 9 sh -c ${user_config.x}", "tsx ${user_config.x}",
        "nohup env npx -y ${user_config.x}", "node --import ./a.js ${user_config.x}",
        "python -W error ${user_config.x}",
        "fastmcp run ${user_config.x}", "uv run --project ${user_config.x} server", "busybox sh ${user_config.x}",
    ],
)  # fmt: skip
def test_no_answer_is_what_runs(command: str) -> None:
    with pytest.raises(BrokenRule, match=r"run\.command\[\d\]: would let an answer choose what"):
        check_chooses_no_code(shlex.split(command))


@pytest.mark.parametrize(
    ("command", "package"),
    [
        ("npx -y some-server", "some-server"),
        ("npx -y some-server@latest", "some-server@latest"),
        ("npx -y some-server@1", "some-server@1"),
        ("npx -y some-server@^1.2.3", "some-server@^1.2.3"),
        ("npx @scope/server", "@scope/server"),
        ("npx -p @scope/server server", "@scope/server"),
        ("npx --package=@scope/server server", "@scope/server"),
        ("uvx some-server", "some-server"),
        ("uvx some-server>=1.2", "some-server>=1.2"),
        ("uvx some-server@latest", "some-server@latest"),
        ("uvx -p 3.12 some-server", "some-server"),
        ("uvx --from some-package some-server", "some-package"),
        ("uvx --python 3.12 some-server", "some-server"),
        ("uvx --from git+https://example.com/a server", "git+https://example.com/a"),
    ],
)
def test_a_package_without_a_version_is_named(command: str, package: str) -> None:
    assert unpinned_package(command.split()) == package


@pytest.mark.parametrize(
    "command",
    [
        "npx -y some-server@1.2.3",
        "npx -y @scope/server@1.2.3-beta.1 --fast",
        "npx github:a/b#" + "0a" * 20,
        "uvx some-server==1.2.3",
        "uvx some-server@2025.9.25",
        "uvx --from some-package==1.2 some-server",
        "uvx --from git+https://example.com/a@" + "0a" * 20 + " server",
        "some-server --fast",
        "npx",
        "npx -y",
        "npx -p",
        "",
    ],
)
def test_one_version_or_no_package_is_nothing_to_tell(command: str) -> None:
    assert unpinned_package(command.split()) == ""
