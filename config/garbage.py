"""Python's collector of garbage, set for processes that hold a hundred thousand objects for as long as they live."""

import gc

# Objects made before the young ones are looked at; Python's own 700 suit a small script. What a request leaves behind
# is freed at once by its counts of references in any case: the collector is for circles alone.
_YOUNG, _MIDDLE, _OLD = 20_000, 20, 20


def calm_collector() -> None:
    """Leave what is there now out of every later collection, and collect less often; call it once all is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
