"""Why the bridge itself refuses a call: the status, the JSON-RPC error, and after how long to come again."""

from dataclasses import dataclass
from typing import Any, Final

from core.mcp.faults import MessageId, error_message

BUSY: Final = -31503
ENDED: Final = -31502
SLOW: Final = -31504
CANCELLED: Final = -31499


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """A call that the bridge does not let through, or whose answer it cannot give."""

    status: int
    code: int
    message: str
    retry_after_s: int = 0
    """0: trying again is of no use, or not safe, as the call may have been run."""

    def body(self, request_id: MessageId | None) -> dict[str, Any]:
        """The JSON-RPC error that answers it."""
        return error_message(request_id, self.code, self.message)


def away(phase: str, cause: str, message: str, retry_after_s: int) -> Refused:
    """The server does not answer yet, or not now."""
    why = f" ({cause}: {_first_line(message)})" if cause else ""
    what = "is starting" if phase == "starting" else "does not run now"
    return Refused(503, BUSY, f"The server {what}{why}; try again in {retry_after_s} s.", retry_after_s)


BUSY_NOW: Final = Refused(503, BUSY, "The server has as many calls as it may have at once; try again in 1 s.", 1)
UNREAD: Final = Refused(503, BUSY, "The server does not read its input; try again in 1 s.", 1)
ENDED_MEANWHILE: Final = Refused(502, ENDED, "The server ended while it served this call.")


def too_slow(seconds: float) -> Refused:
    """No answer came in time."""
    return Refused(504, SLOW, f"The server did not answer within {seconds:g} s.")


def too_large(size: int, most: int) -> Refused:
    """The answer was longer than a line may be."""
    return Refused(502, ENDED, f"The server's answer has {size} bytes; at most {most} are taken.")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]
