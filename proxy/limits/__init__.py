"""How much at once: overload, running calls, shares of a principal, budgets of strangers, open streams."""
