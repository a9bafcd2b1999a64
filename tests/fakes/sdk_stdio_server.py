"""A server of the official Python SDK over stdio: of both eras, as it comes."""

from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel


class Colour(BaseModel):
    """What is asked for."""

    name: str


def main() -> None:
    made = MCPServer("paint", instructions="Ask for a colour.")

    @made.tool()
    def mix(first: str, second: str) -> str:
        """Mix two colours."""
        return f"{first} and {second}"

    @made.tool()
    async def stir(steps: int, ctx: Context) -> str:
        """Tell how far it is."""
        for step in range(1, steps + 1):
            await ctx.report_progress(step, steps)
        return "stirred"

    @made.tool()
    async def choose(ctx: Context) -> str:
        """Ask which colour."""
        answer = await ctx.elicit("Which colour?", Colour)
        return str(answer.data.name) if answer.action == "accept" else answer.action

    @made.resource("paint://motto")
    def motto() -> str:
        """What the painters say."""
        return "Dry before you touch."

    made.run("stdio")


if __name__ == "__main__":
    main()
