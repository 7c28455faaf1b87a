"""Customers followed over time: IBM Telco prepared as the R script of its survival values does, and random ones."""

from pathlib import Path

import numpy as np
import pandas as pd

TELCO = ("telco_v11_services.csv", "telco_v11_status.csv", "telco_v11_demographics.csv")
TERMS = ("price10", "extra_data", "refund", "techsup", "onlsec", "backup", "device", "internet", "contract",
         "referrals", "senior", "dependents")  # fmt: skip
R_NAMES = {"internet = ": "internet", "contract = ": "contract"}  # R pastes the column and the level


def telco(folder: Path) -> pd.DataFrame:
    """All 7,043 customers of IBM Telco v11; the text "None" is a kind of internet, not a missing value."""
    parts = [pd.read_csv(folder / name, keep_default_na=False, na_values=[""]) for name in TELCO]
    d = parts[0].merge(parts[1], on="Customer ID").merge(parts[2], on="Customer ID")
    yes = {"techsup": "Premium Tech Support", "onlsec": "Online Security", "backup": "Online Backup",
           "device": "Device Protection Plan", "senior": "Senior Citizen", "dependents": "Dependents"}  # fmt: skip
    internet = d["Internet Type"].where(d["Internet Service"] != "No", "None")
    contract = d["Contract"].map({"Month-to-Month": "0 monthly", "One Year": "One Year", "Two Year": "Two Year"})
    return pd.DataFrame({
        "customer": d["Customer ID"], "tenure": d["Tenure in Months"], "churn": d["Churn Value"],
        "category": d["Churn Category"], "reason": d["Churn Reason"], "price10": d["Monthly Charge"] / 10,
        "extra_data": (d["Total Extra Data Charges"] > 0).astype(int),
        "refund": (d["Total Refunds"] > 0).astype(int), "referrals": d["Number of Referrals"],
        "internet": internet.replace("None", "0 none"), "contract": contract,
        **{name: (d[column] == "Yes").astype(int) for name, column in yes.items()},
    })  # fmt: skip


def followed(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Random customers in two regions, followed in whole months (many ties), of whom some entered late."""
    rng = np.random.default_rng(seed)
    region = rng.choice(["north", "south"], rows)
    until = np.ceil(rng.exponential(np.where(region == "north", 10.0, 16.0)))
    censored = np.ceil(rng.uniform(1, 24, rows))
    how = rng.choice(["price", "service", "moved"], rows)
    left = until <= censored
    return pd.DataFrame({
        "customer": [f"C{i}" for i in range(rows)], "region": region, "months": np.minimum(until, censored),
        "left": left, "how": np.where(left, how, None), "seen_from": np.floor(np.minimum(until, censored) * 0.4 - 0.2),
        "age": rng.normal(40, 10, rows).round(1),
    })  # fmt: skip
