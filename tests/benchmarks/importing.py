"""What `import cxlib` costs, in a new Python. The target is half a second; the median of several starts is kept."""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.measured import keep, measure


def package() -> dict:
    """The package alone: its modules are loaded when first used."""
    start = time.perf_counter()
    import cxlib  # noqa: F401

    return {"seconds": time.perf_counter() - start, "modules": len(sys.modules)}


def attrition() -> dict:
    """The package and all that fitting an attrition model needs."""
    start = time.perf_counter()
    import cxlib as cx

    _ = cx.fit_attrition, cx.attributable_fractions
    return {"seconds": time.perf_counter() - start}


if __name__ == "__main__":
    runs = [measure(__file__, {"package": package, "attrition": attrition}) for _ in range(5)]
    measured = {name: [run[name] for run in runs] for name in runs[0]}
    ratios = {
        f"seconds to import {told}": statistics.median(run["seconds"] for run in measured[name])
        for name, told in {"package": "cxlib", "attrition": "cxlib and fit_attrition"}.items()
    }
    keep("importing", measured, ratios)
