"""What a page says after something was done: one sentence for each word of `?said=`, shown once the page is there.

A form is answered with a redirection (303), so that going back or reloading sends nothing twice; the word tells the
page behind it what happened. Only these sentences can be shown: a link that somebody sends can say nothing else.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "saved": "Saved.",
        "entry-made": "The entry is added. Install it, and its tools are found.",
        "entries-made": "They are added. Install one, and its tools are found.",
        "entry-changed": "Saved.",
        "override-not-tried": "Saved. The cluster could not be asked whether it takes it: see how its servers do.",
        "entry-moved": "Saved. Secrets do not follow to another address: see which installations wait for theirs.",
        "discovers-through": "Saved. The tools are found through that installation from its next discovery on.",
        "entry-deleted": "The entry is deleted, with what depended on it.",
        "tool-quarantined": "The tool is in quarantine: every gateway refuses it within a second.",
        "tool-released": "The tool is released: gateways take calls of it within a second.",
        "tool-acknowledged": "The change is acknowledged: gateways warn of it no more.",
        "installed": "It is installed. Its server is asked now what it offers.",
        "installed-not-asked": "It is installed. Too much is asked at once just now: ask its server in a moment.",
        "installation-changed": "Saved. Its server is asked now what it offers.",
        "installation-deleted": "It is deleted, with its secrets.",
        "not-asked": "Too much is asked at once just now. Try it again in a moment.",
        "restarting": "Its server is started again. How it does stands below.",
        "pull-secret-made": "The pull secret is kept. Choose it in the entries whose images it is for.",
        "pull-secret-deleted": "The pull secret is deleted.",
        "environment-made": "The environment is made. Put entries into it, each on its own page.",
        "environment-changed": "Saved. The servers in it are looked at again.",
        "environment-deleted": "The environment is deleted.",
        "probing": "It is probed now: in a minute or two, what was seen stands below.",
        "preset-made": "The preset is made. Name it in the environments that it is for.",
        "preset-deleted": "The preset is deleted.",
        "token-revoked": "The token is revoked; gateways refuse it within a second.",
        "tokens-revoked": "All of their tokens are revoked; gateways refuse them within a second.",
        "client-withdrawn": "The client's access is withdrawn; gateways refuse it within a second.",
        "grants-withdrawn": "All that it was allowed is taken back; gateways refuse it within a second.",
        "client-disabled": "The client is shut out: gateways refuse it within a second.",
        "client-enabled": "The client may come in again.",
        "client-deleted": "The client is deleted, with what it was allowed.",
        "provider-made": "The identity provider is added. What it said of itself stands below.",
        "provider-asked": "It was asked. What it said stands below.",
        "provider-on": "It is switched on.",
        "provider-off": "It is switched off: nobody signs in with it, and its tokens open nothing.",
        "provider-deleted": "The identity provider is deleted, with what its claims gave.",
        "host-approved": "The host is approved, and the provider was asked again.",
        "host-refused": "The host is approved no more: nothing is sent there.",
        "rule-added": "The rule is saved. It counts from the next sign-in on.",
        "rule-removed": "The rule is gone. What it gave is taken at the next sign-in.",
        "external-out": "They are shut out: calls that they had running have ended.",
        "external-in": "They may call again, as far as the provider lets them.",
        "jobs-bound": "Jobs with these claims call as that service account.",
        "jobs-unbound": "Jobs with these claims call as it no more.",
        "person-unlinked": "They are unlinked from that account, and found again by their address.",
        "role-given": "The role is given.",
        "role-taken": "The role is taken away.",
        "session-ended": "That session is over.",
        "sessions-ended": "Every other session is over.",
        "password-changed": "The password is changed, and your sessions in other browsers are over.",
        "their-sessions-ended": "They are signed out everywhere.",
        "person-disabled": "They are shut out: nothing of theirs is accepted any more.",
        "person-enabled": "They may come in again.",
        "person-deleted": "The person is deleted, with what was theirs.",
        "team-made": "The team is made. Take people into it.",
        "team-deleted": "The team is deleted. Its members stay.",
        "gateway-made": "The gateway is made. Pick its tools.",
        "gateway-saved": "The gateway is saved; clients see it so within a second.",
        "gateway-deleted": "The gateway is deleted, with its list of tools.",
        "tools-saved": "The tools are saved; clients see them so within a second.",
        "tool-saved": "The tool is saved; clients see it so within a second.",
        "tool-added": "The tool is shown once more.",
        "tool-removed": "The tool is off this gateway.",
        "member-set": "The member is saved.",
        "member-removed": "They are out of the team, and lose what it gave them.",
    }
)


def sentence_of(word: str) -> str:
    """The sentence for a word; '' for any other."""
    return SENTENCES.get(word, "")
