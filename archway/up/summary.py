"""What a person reads when everything runs."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from archway.up.first_call import FirstCall
from archway.up.state import DEFAULT


def summary(
    state: Path,
    control_url: str,
    call: FirstCall | None,
    trouble: str | None,
    gone: str = "",
    end: str = "",
    workers: str = "",
    sign_in: str = "",
    servers: Sequence[str] = (),
) -> str:
    """URL, token and commands, ready to be copied.

    `gone` says why there is none at a later start, `end` how everything is ended, `workers` in which form they run,
    `sign_in` is the link that signs the admin in, `servers` are those that Archway runs itself.
    """
    lines = ["", f"Archway runs. {end}".rstrip()]
    if call is not None:
        lines += [f"  Gateway    {call.gateway_url}", f"  Token      {call.token} (of the member Demo)"]
    lines += [f"  Admin API  {control_url}/api/v1 (token for this run in {state}/up.json)", f"  State      {state}"]
    if sign_in:
        lines += [f"  Sign in    {sign_in} (as the admin, once)"]
    if servers:
        lines += [f"  Servers    {', '.join(servers)}: being started; `archway status` says how they do"]
    if workers:
        lines += [f"  Workers    {workers}"]
    if call is not None and trouble is None:
        lines += ["", "Call a tool:", "", call.command, ""]
        lines += ["Or, in any terminal:", "", *(f"  {line}" for line in call.in_our_words), ""]
    elif call is not None:
        lines += [
            "",
            f"The first call did not work: {trouble}",
            "`archway doctor` may say why; the logs are in the state.",
        ]
    elif gone:
        lines += ["", f"No first call: {gone}. `archway gateways list` shows what there is."]
    else:
        lines += ["", "No demo: make an entry, an installation, a gateway and a token with `archway entries --help`."]
    return "\n".join(lines)


def end_sentence(root: Path, *, foreground: bool) -> str:
    """What ends it; a command that ends this run and no other, whatever folder it is given from."""
    where = "" if root == Path(DEFAULT).absolute() else f" --state {shlex.quote(str(root))}"
    return f"{'Ctrl-C' if foreground else f'`archway down{where}`'} ends it; the data stays."
