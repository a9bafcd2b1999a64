"""Limits of questions of what would become of a call, for `test_limits_page.py`: what each row of the page says."""

from control.explain import asking, explaining
from proxy import internal
from tests.house.limits_of_servers import size

EXPLAINING = {
    "such questions that one proxy worker answers at once": f"{internal.MOST_EXPLAINED}",
    "seconds for each of the two questions to a proxy": f"{explaining.DEADLINE_S:g}",
    "arguments of a call that is asked about": size(asking.MAX_ARGUMENTS),
}
