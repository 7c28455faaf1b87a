"""How often the intervals of the attrition answer hold the truth, on landmark frames drawn from a known law.

Made with ``python -m tests.calibration.attrition_coverage``, which writes tests/calibration/attrition_coverage.csv and
reports/sample/attrition_coverage.png. Finished blocks of simulations stay in reports/output/calibration, so that a run
that was stopped goes on where it was; every simulation has a seed of its own.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track

import cxlib as cx
from cxlib import removal, schema

ROOT = Path(__file__).parents[2]
BLOCKS = ROOT / "reports/output/calibration"
TABLE = Path(__file__).with_name("attrition_coverage.csv")
PICTURE = ROOT / "reports/sample/attrition_coverage.png"

SIMULATIONS = {1_000: 2_000, 5_000: 2_000, 50_000: 1_200}
BLOCK = 50
CAUSES = {
    "service": {"service_band": {"failed": "good"}},
    "price": {"price_band": {"raised": "same", "raised a lot": "same"}},
}
ADJUST = ["fault_band", "tenure_band", "segment"]
WHAT_IF = {"service": 0.5, "price": 0.5}
# Log odds ratios of a failed contact, of both kinds of price rise, and of a failure together with a rise; the constants
# let 9 % leave in every story.
STORIES = {
    "default": {"constant": -3.25, "failed": 1.35, "raised": 0.75, "raised a lot": 1.3, "together": 0.0},
    "no service effect": {"constant": -2.85, "failed": 0.0, "raised": 0.75, "raised a lot": 1.3, "together": 0.0},
    "strong interaction": {"constant": -2.9, "failed": 0.5, "raised": 0.1, "raised a lot": 0.2, "together": 2.0},
}
ROBUST = 5  # every fifth simulation also has the checks, whose four more refits cost as much as all the rest
FAULTS = {"none": 0.0, "one": 0.8, "several": 1.7}
TENURE = dict(zip(schema.TENURE_LEVELS, (0.0, -0.2, -0.4, -0.8), strict=True))
SEGMENTS = {"consumer": 0.0, "small business": 0.1, "enterprise": -0.3}


def law(story):
    """Every kind of customer: its columns, its share of the population, and its risk of leaving."""
    kinds = product(SEGMENTS, TENURE, FAULTS, schema.SERVICE_LEVELS, schema.PRICE_LEVELS)
    table = pd.DataFrame(kinds, columns=["segment", "tenure_band", "fault_band", "service_band", "price_band"])
    table["share"] = [share(*row) for row in table.itertuples(index=False)]
    table["risk"] = risk(table, STORIES[story])
    return table


def share(segment, tenure, fault, service, price):
    """Faults lead to contacts and to failed ones, long tenure to price rises: both confound."""
    faults = dict(zip(FAULTS, (0.62, 0.25, 0.13), strict=True))[fault]
    contact = {"none": 0.25, "one": 0.55, "several": 0.8}[fault]
    failed = {"none": 0.25, "one": 0.35, "several": 0.5}[fault]
    services = {"none": 1 - contact, "good": contact * (1 - failed), "failed": contact * failed}[service]
    rise = {"consumer": 0.25, "small business": 0.3, "enterprise": 0.2}[segment] + 0.1 * (tenure == "over 2 years")
    prices = {"same": 1 - rise, "raised": 0.65 * rise, "raised a lot": 0.35 * rise}[price]
    tenures = dict(zip(TENURE, (0.2, 0.2, 0.25, 0.35), strict=True))[tenure]
    return faults * services * prices * tenures * {"consumer": 0.6, "small business": 0.3, "enterprise": 0.1}[segment]


def risk(table, effects):
    """Logit of the bands: correctly specified, so that what is measured is the interval and not the model."""
    failed = (table["service_band"] == "failed").to_numpy()
    rises = table["price_band"].map({"same": 0.0, "raised": effects["raised"], "raised a lot": effects["raised a lot"]})
    eta = table["fault_band"].map(FAULTS) + table["tenure_band"].map(TENURE) + table["segment"].map(SEGMENTS)
    eta += effects["constant"] + rises
    eta += effects["failed"] * failed + effects["together"] * failed * (table["price_band"] != "same")
    return 1 / (1 + np.exp(-eta))


def truth(story):
    """The estimands of the law itself, (term, measure) -> value, from its risks under every set of removed causes."""
    table, effects = law(story), STORIES[story]
    without = {
        "service": {"service_band": table["service_band"].replace("failed", "good")},
        "price": {"price_band": table["price_band"].map(lambda band: "same")},
    }
    sets = [{}, without["service"], without["price"], without["service"] | without["price"]]
    risks = np.array([[risk(table.assign(**changes), effects) for changes in sets]])
    n = table["share"].to_numpy()[None]
    has = np.array([table["service_band"] == "failed", table["price_band"] != "same"])
    measures = ("fraction", "average_fraction", "last", "lowest_order", "highest_order")
    names = [(cause, measure) for cause in CAUSES for measure in measures] + [("joint", "fraction")]
    names += [(cause, bound) for cause in CAUSES for bound in ("lower_bound", "upper_bound")]
    splits = ("price > service", "service > price", "tie", "neither")
    names += [(term, measure) for measure in ("of_all", "of_any", "of_both") for term in splits]
    names += [(term, "impact_fraction") for term in (*CAUSES, "joint")]
    impact = np.stack([removal.removal_weights(shares) for shares in ([0.5, 0], [0, 0.5], [0.5, 0.5])], axis=1)
    values = [removal.fractions(n, risks), removal.role_bounds(n, n * risks[:, 0], risks, has),
              removal.split(n, risks, has, [1, 0]), removal.removal_values(n, risks) @ impact]  # fmt: skip
    known = dict(zip(names, np.concatenate(values, axis=1)[0], strict=True))
    known |= {(cause, "doubly_robust_fraction"): known[cause, "fraction"] for cause in CAUSES}
    for j, cause in enumerate(CAUSES):
        among = n[0] * has[j]
        known[cause, "risk_ratio"] = (among @ risks[0, 0]) / (among @ risks[0, 1 << j])
    return known


def draw(story, n, seed):
    """A landmark frame of n customers."""
    table, rng = law(story), np.random.default_rng(seed)
    kind = rng.choice(len(table), size=n, p=table["share"] / table["share"].sum())
    frame = table.drop(columns=["share", "risk"]).iloc[kind].reset_index(drop=True)
    left = rng.random(n) < table["risk"].to_numpy()[kind]
    return frame.assign(left=left, customer_id=np.arange(n).astype(str))


def answers(story, n, i):
    """Everything that notebook 02 prints of one simulated frame."""
    number = list(STORIES).index(story)
    fit = cx.fit_attrition(draw(story, n, [number, n, i]), causes=CAUSES, adjust=ADJUST, customer="customer_id", seed=i)
    parts = [cx.attributable_fractions(fit), cx.role_interval(fit), cx.outweighs(fit, "price", "service"),
             cx.what_if(fit, WHAT_IF)]  # fmt: skip
    parts += [cx.robustness(fit)] if i % ROBUST == 0 else []
    table = pd.concat(parts)[["term", "measure", "estimate", "lower", "upper"]]
    return table[table["measure"] != "alarm"].assign(simulation=i)


def block(story, n, start, stop):
    """A block of simulations, kept on disk; one that fails counts as a failure."""
    path = BLOCKS / f"{story.replace(' ', '-')}-{n}-{start}-{stop}.parquet"
    if path.exists():
        return pd.read_parquet(path)
    tables = []
    for i in range(start, stop):
        try:
            tables.append(answers(story, n, i))
        except cx.CxError as error:
            tables.append(pd.DataFrame({"term": [str(error)[:60]], "measure": ["failure"], "simulation": [i]}))
    done = pd.concat(tables, ignore_index=True)
    partial = path.with_suffix(".partial")
    done.to_parquet(partial)
    partial.rename(path)
    return done


def summary(done, story, n):
    """Coverage, bias and width of every measure, with the Monte Carlo error of the coverage."""
    known, simulations = truth(story), done["simulation"].nunique()
    failures = int((done["measure"] == "failure").sum())
    rows = []
    for (term, measure), own in done[done["measure"] != "failure"].groupby(["term", "measure"], sort=False):
        true = known.get((term, measure), np.nan)
        valid = own.dropna(subset=["lower", "upper"])
        held = ((valid["lower"] <= true + 1e-12) & (true - 1e-12 <= valid["upper"])).mean() if len(valid) else np.nan
        zero = ((valid["lower"] > 0) | (valid["upper"] < 0)).mean() if len(valid) else np.nan
        rows.append({
            "story": story, "customers": n, "term": term, "measure": measure, "truth": true,
            "coverage": held if not np.isnan(true) else np.nan,
            "monte_carlo_error": np.sqrt(held * (1 - held) / len(valid)) if len(valid) else np.nan,
            "bias": own["estimate"].mean() - true, "width": (valid["upper"] - valid["lower"]).mean(),
            "zero_excluded": zero, "mean_estimate": own["estimate"].mean(),
            "simulations": simulations, "failures": failures,
        })  # fmt: skip
    return pd.DataFrame(rows)


def picture(table):
    """Coverage of the printed intervals by story and number of customers, as one figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = table[table["measure"].isin(["fraction", "average_fraction", "lower_bound", "upper_bound", "of_all",
                                         "of_any", "impact_fraction", "doubly_robust_fraction"])]  # fmt: skip
    shown = shown[~shown["term"].isin(["tie", "neither"]) & shown["coverage"].notna()]
    marks, colours = ("o", "s", "^"), ("#0072B2", "#D55E00", "#009E73")
    labels = list(dict.fromkeys(zip(shown["measure"], shown["term"], strict=True)))
    figure, axes = plt.subplots(1, len(SIMULATIONS), figsize=(11, 0.28 * len(labels) + 1.6), sharey=True)
    for ax, n in zip(axes, SIMULATIONS, strict=True):
        ax.axvspan(0.93, 0.97, color="0.92", zorder=0)
        ax.axvline(0.95, color="0.6", lw=1)
        for story, mark, colour in zip(STORIES, marks, colours, strict=True):
            own = shown[(shown["story"] == story) & (shown["customers"] == n)]
            y = [labels.index(key) for key in zip(own["measure"], own["term"], strict=True)]
            ax.errorbar(own["coverage"], y, xerr=1.96 * own["monte_carlo_error"], fmt=mark, ms=4, lw=1, color=colour,
                        label=story)  # fmt: skip
        ax.set(title=f"{n:,} customers", xlim=(0.88, 1.005), xlabel="share of simulations that hold the truth")
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(range(len(labels)), [f"{term}: {measure.replace('_', ' ')}" for measure, term in labels])
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="upper center", ncols=3, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.96))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, dpi=130)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="one story")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the simulations to run")
    options = parser.parse_args()
    BLOCKS.mkdir(parents=True, exist_ok=True)
    stories = [options.only] if options.only else list(STORIES)
    plan = [(story, n, start, min(start + BLOCK, total))
            for n, total in ((n, max(BLOCK, int(total * options.scale))) for n, total in SIMULATIONS.items())
            for story in stories for start in range(0, total, BLOCK)]  # fmt: skip
    done = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        waiting = {pool.submit(block, *part): part for part in plan}
        for future in track(as_completed(waiting), total=len(plan), description="calibrating"):
            done.setdefault(waiting[future][:2], []).append(future.result())
    table = pd.concat([summary(pd.concat(done[key]), *key) for key in sorted(done)], ignore_index=True)
    table.to_csv(TABLE, index=False, float_format="%.5f")
    picture(table)


if __name__ == "__main__":
    main()
