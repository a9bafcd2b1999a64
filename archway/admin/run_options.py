"""Options of `archway entries` for a server that Archway runs: members of the field `run`, and its secrets."""

from archway.admin.resource import Kind, Option


def _of_run(member: str, flag: str, what: str, kind: Kind = "text", of: str = "", *, many: bool = False) -> Option:
    """One member of `run`. In a change, what is not named stays."""
    help_ = f"Of one that Archway runs: {what}" + ("; may be repeated." if many else ".")
    return Option("run", help_, kind, of=of, flag=flag, member=member)


RUN_FIELDS = (
    _of_run(
        "command",
        "run_command",
        "program and arguments, as one text; ${user_config.NAME} stands for the answer to that field",
        "command",
    ),
    _of_run("image", "image", "its image; left out, the base image, which has npx and uvx"),
    _of_run("transport", "transport", "stdio, or http where it speaks Streamable HTTP itself"),
    _of_run("port", "port", "with http, where it listens", "number"),
    _of_run("path", "mcp_path", "with http, the path at which it answers MCP"),
    _of_run("health_path", "health_path", "with http, the path at which it says that it is well"),
    _of_run("environment", "env", "a variable, NAME=value, in place of ALL that are there", "map", many=True),
    _of_run("mounted", "mounted", "a --run-secret that is a file, not a variable", "list", many=True),
    _of_run("idle_minutes", "idle_minutes", "after so long without a call it is ended, until the next", "number"),
    _of_run("pull_secrets", "pull_secret", "a pull secret of its image", "references", "pull_secret", many=True),
    _of_run(
        "override",
        "override",
        "a file with YAML that is merged over its Deployment in a cluster; - reads it, '' takes it away; "
        "`archway entries override` shows what it makes",
        "file",
    ),
    _of_run("resources.cpu", "cpu", "processors set aside for it, such as 100m"),
    _of_run("resources.cpu_limit", "cpu_limit", "processors that it may use at most, such as 2"),
    _of_run("resources.memory", "memory", "memory set aside for it, such as 128Mi"),
    _of_run("resources.memory_limit", "memory_limit", "memory above which it is ended, such as 1Gi"),
)
RUN_SECRETS = Option(
    "run_secrets",
    "Of one that Archway runs: a variable with a secret value, its name; in scripts --value-from-env "
    "run-secret.NAME=VARIABLE.",
    "secrets",
    flag="run_secret",
)
EXAMPLES = (
    "archway entries create --slug files --name Files --run-command 'npx -y @scope/server@1.2.3' --run-secret KEY",
    "archway entries create --slug wiki --name Wiki --image registry.example.com/wiki-mcp:2.1 --transport http "
    "--pull-secret Ours",
)
EXAMPLES_OF_CHANGES = (
    "archway entries update files --run-command 'npx -y @scope/server@1.2.4' --memory-limit 1Gi",
    "archway entries update files --override files.override.yaml",
)
"""For the help of the commands."""
