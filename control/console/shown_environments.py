"""What an environment says of amounts and taints, in words for its page. Pure."""

from control.console.environment_form import typed_toleration
from control.registry.environment import NewEnvironment
from control.registry.self_hosted import Resources


def usual_of(environment: NewEnvironment) -> str:
    """What one server may use whose entry does not say it: every amount that is said; '' for none."""
    said = environment.resources or Resources()
    return _told(
        (said.memory_limit, "memory at most {}"),
        (said.memory, "memory set aside {}"),
        (said.cpu, "processors set aside {}"),
        (said.cpu_limit, "processors at most {}"),
    )


def at_most_of(environment: NewEnvironment) -> str:
    """What the servers of one team may be in all; '' for no limit."""
    quota = environment.quota
    servers = "{} server" if quota.servers == 1 else "{} servers"
    return _told((str(quota.servers or ""), servers), (quota.cpu, "{} of processors"), (quota.memory, "{} of memory"))


def tolerated_by(environment: NewEnvironment) -> list[str]:
    """The taints that its servers tolerate, as its form has them."""
    return [typed_toleration(one) for one in environment.tolerations]


def _told(*amounts: tuple[str, str]) -> str:
    return ", ".join(words.format(much) for much, words in amounts if much)
