"""A package of which a command names no version is told by its name."""

from __future__ import annotations

import pytest

from control.registry.packages import unpinned_package


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
