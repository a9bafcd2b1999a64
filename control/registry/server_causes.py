"""Why a server that we run is not ready, in words for people: for each cause a sentence, and what helps.

A runtime reports the word (`server_state.py`) and beside it what its place said; these two sentences are ours. Told
by the admin API, the command line, the console and, as far as callers are concerned, by refusals. The operator's page
(`docs/operating/servers-we-run.md`) has a section for each word, which a test compares. Pure.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from control.registry.server_state import Phase, ServerState


class CauseWords(NamedTuple):
    """How people are told of a cause."""

    sentence: str
    cure: str
    """What somebody who looks after the server does."""


CAUSES: Final[Mapping[str, CauseWords]] = MappingProxyType(
    {
        "image_pull": CauseWords(
            "Its image cannot be pulled.",
            "Check the image's name and tag and that one of the entry's pull secrets is good at its registry. It is "
            "pulled again by itself.",
        ),
        "image_name": CauseWords(
            "The name of its image is none.",
            "Correct the image of the entry: REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST.",
        ),
        "image_not_allowed": CauseWords(
            "Its image comes from a registry that the entry's environment does not let in.",
            "Take an image from one that the message names, or have the environment let this one in.",
        ),
        "pull_secret_missing": CauseWords(
            "A pull secret that its entry names is not there, or may not be used.",
            "Create the pull secret in the servers' namespace and give it the label `archway.dev/pull-secret=true`, "
            "or take it out of the entry.",
        ),
        "secret_missing": CauseWords(
            "A secret that it needs at its start is not in the cluster.",
            "Restart the installation, which writes its secrets again; if it stays so, something else deletes them.",
        ),
        "unschedulable": CauseWords(
            "No machine of the cluster has room for it.",
            "Lower the resources of the entry, add a node, or correct the node selector and tolerations.",
        ),
        "override": CauseWords(
            "What its entry says over its Deployment is not taken any more.",
            "The message names each place. Correct the override of the entry, or take it out.",
        ),
        "refused_by_cluster": CauseWords(
            "The cluster does not take it.",
            "The message names the rule or quota. Change the entry so that it fits, or the rule.",
        ),
        "namespace_closed": CauseWords(
            "Control may not run servers in the namespace of its environment.",
            "Add the namespace to `servers.namespaces` of the chart, which gives control its rights there, or name "
            "another in the environment. It is tried again by itself.",
        ),
        "crashed": CauseWords(
            "Its program ends again and again.",
            "Read `archway installations logs NAME --previous`: mostly an answer or a credential is wrong. It is "
            "started again by itself, less and less often.",
        ),
        "out_of_memory": CauseWords(
            "It was ended because it used more memory than it may.", "Raise `memory_limit` of the entry's resources."
        ),
        "not_answering": CauseWords(
            "It runs and does not answer as an MCP server.",
            "Check transport, port and path of the entry, and read `archway installations logs NAME`.",
        ),
        "no_such_program": CauseWords(
            "The program that its command names is not there.",
            "Correct the command of the entry, or take an image that has the program.",
        ),
        "bad_output": CauseWords(
            "It writes to its output what is not MCP.",
            "Read `archway installations logs NAME`; have the program write its logs to standard error.",
        ),
        "starting_too_long": CauseWords(
            "It has not become ready in the time that a start may take.",
            "Read `archway installations logs NAME`: perhaps it downloads much, or waits for something that it does "
            "not reach. Restart the installation to try it again.",
        ),
        "no_runtime": CauseWords(
            "Nothing here runs it.",
            "The message says what stands against it, where something could. Else set ARCHWAY_RUNTIME to `process` "
            "or `cluster`, or use an entry whose server runs elsewhere.",
        ),
        "runtime_away": CauseWords(
            "The place where it runs cannot be asked at the moment; what runs there goes on.",
            "Check that control reaches the cluster's API, and its permissions there. It is asked again by itself.",
        ),
        "not_permitted": CauseWords(
            "Its entry is in a restricted environment, and nobody who may put it there stands for it.",
            "Have somebody who holds `environment:deploy-to-restricted` save the entry with its environment again, "
            "or move it elsewhere.",
        ),
        "egress_not_possible": CauseWords(
            "What its environment lets it reach cannot be held by this cluster.",
            "The message names what the cluster cannot hold. Change the environment's egress policy, or a preset of "
            "it, or have the cluster's network plug-in hold names.",
        ),
        "not_signed_in": CauseWords(
            "It is started with the token of an account, and has no account that its provider knows.",
            "Run `archway installations sign-in NAME`; where a client signs in for itself, give its secret again. It "
            "is started by itself then.",
        ),
        "no_token": CauseWords(
            "The token that it was started with has ended, and its provider gives no new one.",
            "The message says what the provider answered. It is asked again by itself; nobody has to sign in again.",
        ),
        "configuration": CauseWords(
            "Its command, environment or files cannot be made of the entry and the installation's answers.",
            "The message names what does not fit: correct the entry, or give the answers again.",
        ),
    }
)  # fmt: skip
"""All causes that a runtime may report."""
_OTHERWISE: Final = CauseWords(
    "It does not run.", "Read the message and `archway installations logs NAME`, and restart the installation."
)
"""Of a cause that is none of those, as one that a newer version kept."""
PHASES: Final[Mapping[Phase, str]] = MappingProxyType(
    {
        "pending": "is about to be started",
        "pulling": "is starting: its image is being pulled",
        "starting": "is starting",
        "ready": "is ready",
        "degraded": "answers, and its latest change does not run",
        "failed": "does not run",
        "stopping": "is being stopped",
        "asleep": "is asleep",
    }
)
"""What is said of each phase, behind a name."""
AGAIN_IN_S: Final[Mapping[Phase, int]] = MappingProxyType(
    {"pending": 15, "pulling": 15, "starting": 5, "stopping": 15, "asleep": 10}
)
"""After how many seconds it is worth to try again, of a server that is on its way."""


def words_of(state: ServerState, name: str = "NAME") -> CauseWords:
    """The sentence and the cure for this state; both empty where nothing is wrong. `name`: as commands take it."""
    if not state.cause:
        return CauseWords("", "")
    sentence, cure = CAUSES.get(state.cause, _OTHERWISE)
    return CauseWords(sentence, cure.replace("NAME", name) if "archway " in cure else cure)
