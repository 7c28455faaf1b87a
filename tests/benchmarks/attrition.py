"""Fractions with intervals on a million customers, against the same refits with statsmodels on the rows.

``make bench`` runs it; the target is a ratio of 100 with less than 700 MB. Not a test: times depend on the machine.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.measured import keep, measure

CUSTOMERS = 1_000_000
REPLICATES = 400
REFITS = 3  # on the rows; the other replicates are extrapolated
CAUSES = {
    "service": {"service_band": {"failed": "good"}},
    "price": {"price_band": {"raised": "same", "raised a lot": "same"}},
}
ADJUST = ["segment", "plan", "tenure_band", "fault_band"]
FRAME = Path(tempfile.gettempdir()) / f"cxlib_bench_{CUSTOMERS}.parquet"


def frame() -> dict:
    """A frame like `cx.landmark`'s, drawn from a known law and written once."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    levels = {
        "segment": (["consumer", "small business", "enterprise"], [0.6, 0.3, 0.1]),
        "plan": (["basic", "standard", "premium"], [0.5, 0.3, 0.2]),
        "tenure_band": (["under 6 months", "6 to 12 months", "1 to 2 years", "over 2 years"], [0.1, 0.2, 0.3, 0.4]),
        "fault_band": (["none", "one", "several"], [0.7, 0.2, 0.1]),
        "price_band": (["same", "raised", "raised a lot"], [0.6, 0.25, 0.15]),
    }
    codes = {name: rng.choice(len(names), CUSTOMERS, p=p) for name, (names, p) in levels.items()}
    fails = rng.random(CUSTOMERS) < 0.05 + 0.10 * codes["fault_band"]
    service = np.where(fails, 2, rng.choice(2, CUSTOMERS, p=[0.7, 0.3]))
    logit = -3 + 1.3 * fails + 0.5 * codes["price_band"] + 0.6 * codes["fault_band"] - 0.3 * codes["tenure_band"]
    data = {name: pd.Categorical.from_codes(codes[name], levels[name][0]).astype(str) for name in levels}
    data |= {"service_band": np.array(["none", "good", "failed"])[service]}
    data |= {"customer_id": [f"C{i:07d}" for i in range(CUSTOMERS)]}
    pd.DataFrame(data | {"left": rng.random(CUSTOMERS) < 1 / (1 + np.exp(-logit))}).to_parquet(FRAME)
    return {"customers": CUSTOMERS}


def cxlib() -> dict:
    """From the file to the fractions with intervals, imports included."""
    start = time.perf_counter()
    import duckdb

    import cxlib as cx

    fit = cx.fit_attrition(duckdb.read_parquet(str(FRAME)), causes=CAUSES, adjust=ADJUST, customer="customer_id",
                           replicates=REPLICATES)  # fmt: skip
    result = cx.attributable_fractions(fit)
    seconds = time.perf_counter() - start
    numbers = {"seconds": seconds, "cpu_seconds": time.process_time(), "replicates": REPLICATES}
    first = result.iloc[0]
    return numbers | {"service": first["estimate"], "lower": first["lower"], "upper": first["upper"]}


def rows() -> dict:
    """statsmodels on the rows: the fit and a few refits on resampled customers, then the rest by proportion."""
    import numpy as np
    import pandas as pd
    import patsy
    import statsmodels.api as sm

    data = pd.read_parquet(FRAME)
    flags = data.assign(
        failed=(data["service_band"] == "failed") * 1.0,
        none=(data["service_band"] == "none") * 1.0,
        raised=(data["price_band"] == "raised") * 1.0,
        a_lot=(data["price_band"] == "raised a lot") * 1.0,
    )
    formula = "none + failed + raised + a_lot + failed:raised + failed:a_lot + " + " + ".join(ADJUST)
    design = patsy.dmatrix(formula, flags)
    bettered = flags.assign(failed=0.0)
    x = np.asarray(design)
    x0 = np.asarray(patsy.build_design_matrices([design.design_info], bettered)[0])
    y = data["left"].to_numpy(float)
    rng = np.random.default_rng(0)

    def fraction(drawn):
        fitted = sm.GLM(y[drawn], x[drawn], family=sm.families.Binomial()).fit()
        return 1 - fitted.predict(x0[drawn]).mean() / y[drawn].mean()

    everyone = slice(None)
    estimate = fraction(everyone)
    start = time.perf_counter()
    for _ in range(REFITS):
        fraction(rng.integers(0, len(y), len(y)))
    each = (time.perf_counter() - start) / REFITS
    return {"refits": REFITS, "seconds_each": each, "seconds_extrapolated": each * REPLICATES, "service": estimate}


if __name__ == "__main__":
    measured = measure(__file__, {"frame": frame, "cxlib": cxlib, "rows": rows})
    ours, theirs = measured["cxlib"], measured["rows"]
    ratios = {
        "times faster than statsmodels on the rows": theirs["seconds_extrapolated"] / ours["seconds"],
        "seconds for 400 replicates": ours["seconds"],
        "seconds the processors were busy": ours["cpu_seconds"],
        "peak memory, MB": ours["peak_mb"],
        "difference of the estimates": abs(ours["service"] - theirs["service"]),
    }
    keep("attrition", measured, ratios, f"the rows' {REPLICATES} refits are extrapolated from {REFITS}")
    FRAME.unlink()
