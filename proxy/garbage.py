"""How often the process looks for cycles of garbage. Called once at a worker's start, and by the bench."""

import gc


def collect_seldom() -> None:
    """Look for cycles of garbage after 20,000 objects, not 700, and not among what the start has made.

    A call makes some hundreds, and nearly all go with the last reference: looking through them each second or third
    call was a tenth of a worker's work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
