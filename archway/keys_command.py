"""`archway keys`: the deployment's keys."""

from typing import Annotated

import typer

from core.keys import BadKey, decode_key, new_key

keys = typer.Typer(help="Make the keys that a deployment needs.", no_args_is_help=True)


@keys.callback()
def _group() -> None:
    """Make the keys that a deployment needs."""


@keys.command()
def new(
    environment: Annotated[
        bool, typer.Option("--env", help="All keys of a deployment, as lines for an environment file.")
    ] = False,
) -> None:
    """Print a fresh key: 32 random bytes, base64url.

    To replace a key, make the new one where the old one is set in the environment: it then fits beside that one.
    Of keys that were made without this look about one pair in 200 cannot stand together in one setting.

    [bold]Examples[/bold]

      archway keys new                   one key, to stand before those that are set

      archway keys new --env > keys.env  the four settings of a new deployment
    """
    from archway.up.keys_file import KEY_NAMES, verify_keys

    if not environment:
        typer.echo(_fresh(KEY_NAMES))
        return
    made = {name: new_key() for name in KEY_NAMES}
    made["ARCHWAY_VERIFY_KEYS"] = verify_keys(made["ARCHWAY_SIGNING_KEY"])
    typer.echo("\n".join(f"{name}={value}" for name, value in made.items()))


def _fresh(settings: tuple[str, ...]) -> str:
    """A key that may stand before those that are set here. What is set and no key may be what it shall replace, so
    it is only said.
    """
    import os

    from core.signing import new_key_before

    present = []
    for setting in settings:
        for number, text in enumerate(os.environ.get(setting, "").split(",")):
            try:
                decode_key(setting, text)
                present.append(text)
            except BadKey as why:
                if text.strip():
                    typer.echo(f"note: the new key was not held against {_place(number)} {why}", err=True)
    return new_key_before(*present)


def _place(number: int) -> str:
    return "the key that is set:" if number == 0 else "the previous key that is set:"


@keys.command()
def public(
    variable: Annotated[
        str, typer.Option("--from-env", help="The variable that holds the signing key.")
    ] = "ARCHWAY_SIGNING_KEY",
) -> None:
    """Print what ARCHWAY_VERIFY_KEYS must be for a signing key.

    The signing key is read from the environment, because everybody can read a command's arguments.

    [bold]Examples[/bold]

      archway keys public

      ARCHWAY_VERIFY_KEYS=$(archway keys public)
    """
    import os

    from archway.options import refuse
    from archway.up.keys_file import verify_keys

    try:
        typer.echo(verify_keys(os.environ.get(variable, "")))
    except BadKey as why:
        raise refuse(str(why)) from None
