"""Who looks at a page, as `control/public/visitor.py` says it. For pages alone: nothing else is in it."""

from control.public.visitor import VISITOR, Visitor

__all__ = ["VISITOR", "Visitor"]
