"""Limits of tokens that are exchanged for callers, for `test_limits_page.py`: what each row of the page says."""

from control.exchanges import exchanges, one_exchange

_PAGE = "../administering/credentials/token-exchange.md"
EXCHANGES = {
    f"tokens [exchanged for callers]({_PAGE}) that one control keeps": (
        f"{exchanges.MOST_KEPT:,}, each for at most {exchanges.LONGEST_KEPT_S:,.0f} s"
    ),
    "exchanges that are begun in one control and not over; of one provider at once": (
        f"{exchanges.MOST_RUNS:,}; {exchanges.AT_ONE_PROVIDER}"
    ),
    "seconds of one exchange, both legs and what is refreshed before; that a call waits for it": (
        f"{exchanges.RUN_S:g}; as for an account"
    ),
    "seconds in which a provider that gave no answer, or a refusal, is not asked again": (
        f"{one_exchange.REST_S:g}, or as long as it says, at most {one_exchange.LONGEST_REST_S:g}; "
        f"{exchanges.REFUSED_S:g}"
    ),
}
