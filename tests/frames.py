"""Frames that several tests use: the exact toy, random customers, and public data prepared as the R scripts do."""

from pathlib import Path

import numpy as np
import pandas as pd

TOY_CAUSES = {"service": {"service": {"failed": "good"}}, "price": {"price": {"raised": "same"}}}
TOUCHPOINTS = [
    "Q7ART", "Q7FOOD", "Q7STORE", "Q7SIGN", "Q7WALKWAYS", "Q7SCREENS", "Q9BOARDING", "Q9RESTROOM", "Q10SAFE",
    "Q13GETRATE", "Q14FIND", "Q14PASSTHRU",
]  # fmt: skip
POOR = ["Q9RESTROOM", "Q14PASSTHRU", "Q7SIGN", "Q13GETRATE", "Q7FOOD"]


def toy(times: int = 1) -> pd.DataFrame:
    """1,000 customers in four cells with risks .05, .15, .10, .40: every fraction is known exactly."""
    cells = [
        ("good", "same", 500, 25),
        ("failed", "same", 200, 30),
        ("good", "raised", 200, 20),
        ("failed", "raised", 100, 40),
    ]
    parts = [
        pd.DataFrame({"service": s, "price": p, "left": np.arange(n * times) < events * times})
        for s, p, n, events in cells
    ]
    data = pd.concat(parts, ignore_index=True)
    return data.assign(customer_id=[f"C{i:06d}" for i in range(len(data))])


def customers(rows: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Random customers with every kind of column: factors, a yes/no, whole and broken numbers, weights."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({
        "customer_id": [f"C{i}" for i in rng.permutation(rows)],
        "service": rng.choice(["none", "good", "failed"], rows, p=[0.4, 0.4, 0.2]),
        "price": rng.choice(["same", "raised", "raised a lot"], rows),
        "segment": rng.choice(["consumer", "business", "öffentlich"], rows),
        "abroad": rng.random(rows) < 0.3,
        "faults": rng.poisson(1.0, rows),
        "tenure": rng.gamma(2, 1, rows).round(1),
        "w": rng.uniform(0.2, 3, rows).round(3),
    })  # fmt: skip
    logit = (
        -1.5 + 0.9 * (data["service"] == "failed") + 0.5 * (data["price"] != "same") - 0.3 * data["tenure"]
        + 0.3 * data["faults"] + 0.4 * data["abroad"] * (data["segment"] == "business")
    )  # fmt: skip
    return data.assign(left=rng.random(rows) < 1 / (1 + np.exp(-logit)))


CAUSES = {
    "service": {"service": {"failed": "good"}},
    "price": {"price": {"raised": "same", "raised a lot": "same"}},
}


def births(reference: Path) -> pd.DataFrame:
    """birthwt of the R package MASS; race is a factor."""
    return pd.read_csv(reference / "birthwt.csv", index_col=0).astype({"race": "string"})


def telco(folder: Path) -> pd.DataFrame:
    """Internet customers of IBM Telco v11, as in the R script behind telco_paf.csv."""
    parts = [
        pd.read_csv(folder / f"telco_v11_{part}.csv", keep_default_na=False)
        for part in ("services", "status", "demographics")
    ]
    d = parts[0].merge(parts[1], on="Customer ID").merge(parts[2], on="Customer ID")
    d = d[d["Internet Service"] != "No"].reset_index(drop=True)
    return pd.DataFrame({
        "customer": d["Customer ID"],
        "churn": d["Churn Value"],
        "hiprice": (d["Monthly Charge"] > 89.4).astype(int),
        "extra_data": (d["Total Extra Data Charges"] > 0).astype(int),
        "notech": (d["Premium Tech Support"] != "Yes").astype(int),
        "nosec": (d["Online Security"] != "Yes").astype(int),
        "internet": d["Internet Type"],
        "contract": d["Contract"],
        "tenure": d["Tenure in Months"],
        "referrals": d["Number of Referrals"],
        "senior": (d["Senior Citizen"] == "Yes").astype(int),
        "dependents": (d["Dependents"] == "Yes").astype(int),
    })  # fmt: skip


def passengers(folder: Path) -> pd.DataFrame:
    """SFO 2017 passengers complete on the score and twelve touchpoints: 0 blank, 6 not used, 11 blank in NETPRO."""
    d = pd.read_csv(folder / "sfo_2017.csv", low_memory=False).rename(columns=lambda name: name.strip().upper())
    d = d.rename(columns={"Q7WALKWAY": "Q7WALKWAYS"})
    ratings = d[TOUCHPOINTS].apply(pd.to_numeric, errors="coerce")
    ratings = ratings.where(ratings.isin(range(1, 6)))
    data = ratings.assign(ltr=d["NETPRO"].where(d["NETPRO"].isin(range(11))), w=d["WEIGHT"])
    data = data.dropna().reset_index(drop=True)
    poor = {f"p_{name}": (data[name] <= 3).astype(int) for name in POOR}
    return data.assign(detractor=data["ltr"] <= 6, **poor)


def estimates(result: pd.DataFrame, measure: str, column: str = "estimate") -> pd.Series:
    """One measure of a result, by term."""
    return result[result["measure"] == measure].set_index("term")[column]
