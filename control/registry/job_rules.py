"""What a rule may be that lets a provider's own token call as a service account, and when a claim fits it. Pure.

A job of a CI system (GitHub Actions, GitLab and others) gets a token that says in claims whose job it is. Called when
a provider is saved, for what its admin is told, and for tokens of calls (`control/identity/jobs.py`).
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from control.registry.broken_rule import BrokenRule
from control.registry.identity_provider import ServiceRule

MAX_SERVICE_RULES: Final = 200
MAX_CLAIMS: Final = 10
"""That one rule may look at."""
REST: Final = "*"
"""At the end of a value: whatever follows. Nowhere else, and never alone."""
_OWNED: Final = ("repository", "project_path", "job_workflow_ref", "workflow_ref")
"""Claims of GitHub and GitLab that begin with the owner's name, before a slash."""
_WHOLE: Final = ("repository_id", "repository_owner", "repository_owner_id", "project_id", "namespace_id",
                 "namespace_path")  # fmt: skip
"""Claims that name a repository, a project or its owner, and mean nothing in part."""
_SUBJECT_WITH_OWNER: Final = re.compile(r".*[/:][^/:]+[/:]")
"""How a `sub` begins that names more than a kind of thing, up to a separator: `repo:acme/`, not `repo:` or
`repo:acme`."""


def check_service_rules(rules: Sequence[ServiceRule]) -> None:
    """Raise BrokenRule for rules that fit anybody, or nobody."""
    if len(rules) > MAX_SERVICE_RULES:
        raise BrokenRule("service_rules", f"has {len(rules)} rules; at most {MAX_SERVICE_RULES} are allowed")
    for number, rule in enumerate(rules):
        field = f"service_rules[{number}].claims"
        if not 0 < len(rule.claims) <= MAX_CLAIMS:
            raise BrokenRule(field, f"must name one to {MAX_CLAIMS} claims: without any, every token fits")
        for name, value in rule.claims.items():
            if not name:
                raise BrokenRule(field, "must name its claims")
            if not value or value == REST:
                raise BrokenRule(field, f"must say what `{name}` is: '{value}' fits whatever it is, or nothing")
            if REST in value[:-1]:
                raise BrokenRule(field, f"may have a `{REST}` at the end of `{name}` alone")


def tells_whose(rule: ServiceRule) -> bool:
    """Whether a rule names a claim that tells one owner's jobs from all others' of the same CI system."""
    claims = rule.claims
    for name in _WHOLE:
        if name in claims and not claims[name].endswith(REST):
            return True
    for name in _OWNED:
        if name in claims and _is_up_to(claims[name], "/"):
            return True
    subject = claims.get("sub", "")
    return bool(subject) and (not subject.endswith(REST) or _SUBJECT_WITH_OWNER.fullmatch(subject[:-1]) is not None)


def _is_up_to(pattern: str, separator: str) -> bool:
    """Whether a value is whole, or its owner is."""
    return not pattern.endswith(REST) or separator in pattern


def is_said(said: Any, pattern: str) -> bool:
    """Whether a claim says this: byte for byte, or its beginning. One that is no text fits nothing."""
    if not isinstance(said, str) or not pattern or pattern == REST:
        return False
    return said.startswith(pattern[:-1]) if pattern.endswith(REST) else said == pattern
