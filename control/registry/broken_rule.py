"""What a rule of the registry says when it is broken: the field at fault and the cure.

Raised by every module here; the admin API turns it into a problem (RFC 9457) with status 422. The message never
repeats a value: it may be a secret. What a field needs only together with others "is needed": programs that read
problems take "is required" for a rule about the field alone, as the OpenAPI document has them.
"""


class BrokenRule(ValueError):
    """One field breaks one rule. `field` is its path as a person writes it, such as `fields[0].header`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
