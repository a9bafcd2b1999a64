"""The next token of an account, asked of its provider."""

from control.credentials.resolved import needs_sign_in
from control.registry.account import Account
from control.registry.entry import Entry
from control.registry.installation import Installation
from core.resolve import InstallationRefusal


class Renewals:
    """Gives no account a next token yet: one whose token has ended needs a person to sign in again."""

    async def renewed(
        self,
        entry: Entry,
        installation: Installation,
        account: Account | None,  # not asked yet
    ) -> Account | InstallationRefusal:
        """The account with a newer token, or why there is none."""
        return needs_sign_in(entry, installation, "has a token that has ended")
