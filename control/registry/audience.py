"""Who sees a gateway, counted: people, and whoever else calls. Advice for admins; proxies decide by the snapshot."""

from dataclasses import dataclass

from control.registry.counted import counted


@dataclass(frozen=True, slots=True)
class Audience:
    """Those who see one gateway and are not shut out."""

    people: int
    accounts: int = 0
    """Service accounts that it lets in."""
    tokens: int = 0
    """Tokens of teams."""
    external_by: str = ""
    """The identity provider whose callers without an account see it; '' where none of those does."""
    unseen_by: str = ""
    """The identity provider that it names, which admits such callers, who see no gateway that names it."""

    @property
    def is_nobody(self) -> bool:
        """Whether nobody sees it at all."""
        return not (self.people or self.accounts or self.tokens or self.external_by)

    @property
    def told(self) -> str:
        """All of them in one phrase: people, and the others that there are."""
        parts = ["1 person" if self.people == 1 else f"{self.people} people"]
        if self.accounts:
            parts.append(counted(self.accounts, "service account"))
        if self.tokens:
            parts.append("a team's token" if self.tokens == 1 else f"{self.tokens} tokens of teams")
        if self.external_by:
            parts.append(f"callers without an account by {self.external_by}")
        return ", ".join(parts)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an admin might take for granted, and is not so."""
        if not self.unseen_by:
            return ()
        return (
            f"{self.unseen_by} admits callers without an account, and they see neither this gateway nor another that "
            "names it: they see gateways of the teams that its `team_rules` give.",
        )
