"""Limits of what an entry asks and runs, for `test_limits_page.py`: what each row of the page says."""

from control.credentials import statement
from control.orchestrator.override import may_be_said
from control.registry import arguments, fields, images, override_text, pull_secret, run_names, self_hosted_rules
from core.egress import destinations

ENTRIES = {
    "teams of a caller that a server is told of": f"{statement.MOST_TEAMS}, the first by name",
    "fields of an entry": f"{fields.MAX_FIELDS}",
    "options of a field": f"{fields.MAX_OPTIONS}",
    "arguments of a command that is run": (
        f"{self_hosted_rules.MAX_ARGUMENTS}, of {arguments.MAX_ARGUMENT:,} characters each"
    ),
    "YAML over the Deployment of a server": (
        f"{override_text.MOST_CHARACTERS:,} characters, {override_text.MOST_VALUES:,} names and values; "
        f"{may_be_said.MOST_INIT_CONTAINERS} init containers, "
        f"{may_be_said.MOST_VOLUMES} volumes, of at most {may_be_said.MOST_DISK >> 30} GiB each"
    ),
    "variables of its environment, and own secrets beside them": (
        f"{self_hosted_rules.MAX_VARIABLES}, and {self_hosted_rules.MAX_SECRETS}; "
        f"{run_names.MAX_CONTENT:,} characters each"
    ),
    "pull secrets of an entry": f"{self_hosted_rules.MAX_PULL_SECRETS}",
    "networks, names and ports of an egress policy or preset": (
        f"{destinations.MOST_CIDRS}, {destinations.MOST_DOMAINS} and {destinations.MOST_PORTS}"
    ),
    "a password of an image registry": f"{pull_secret.MAX_PASSWORD:,} characters",
    "the name of an image": f"{images.MAX_IMAGE} characters",
}
