from __future__ import annotations

import gc

from proxy.garbage import collect_seldom


def test_cycles_are_collected_seldom_but_collected() -> None:
    before = gc.get_threshold()
    try:
        collect_seldom()
        assert gc.isenabled()
        assert all(0 < most <= 20_000 for most in gc.get_threshold())
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
