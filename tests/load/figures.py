"""Sums of many measurements."""

from collections.abc import Sequence
from statistics import median
from typing import Any


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and the highest of the values (nearest rank)."""
    ordered = sorted(values)
    return {
        "p50": round(ordered[len(ordered) // 2], 1),
        "p95": round(ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)], 1),
        "max": round(ordered[-1], 1),
    }


def middle(runs: Sequence[dict[str, Any]], *, by: str = "per_second") -> dict[str, Any]:
    """Return the run in the middle, with the lowest and the highest of `by` beside it."""
    values = [run[by] for run in runs]
    nearest = min(runs, key=lambda run: abs(run[by] - median(values)))
    return {**nearest, "runs": len(runs), f"{by}_lowest": min(values), f"{by}_highest": max(values)}
