"""Mediation. Authorities: R's mediation on `framing`, closed forms, statsmodels fits summed by hand, a known truth."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import norm

import cxlib as cx
from cxlib import natural_effects
from cxlib.mediated import NO_PROPORTION
from tests.calibration.value_coverage import draw_path, path_truth

TREAT, ABOUT = {"treat": {1: 0}}, ["age", "educ", "gender", "income"]
# R's mediation, 100 draws: estimate and interval of the vignette, as quoted in statsmodels' tests.
BOOTSTRAP = {"indirect": (0.085106, 0.029938, 0.141525), "total": (0.102612, -0.036749, 0.227213)}
PARAMETRIC = {"indirect": (0.075529, 0.024995, 0.132408), "total": (0.097736, -0.025384, 0.225386)}


@pytest.fixture(scope="module")
def framing(reference):
    return pd.read_csv(reference / "framing.csv", index_col=0)


@pytest.fixture(scope="module")
def models(framing):
    """The two models of R's vignette, fitted by statsmodels."""
    probit = sm.families.Binomial(link=sm.families.links.Probit())
    outcome = sm.GLM.from_formula("cong_mesg ~ emo + treat + age + educ + gender + income", framing, family=probit)
    return outcome.fit(atol=1e-12), sm.OLS.from_formula("emo ~ treat + age + educ + gender + income", framing).fit()


def world(models, beta, line, spread, treated, said_treated):
    """Mean risk in a world, in closed form: a probit of a normal mediator is a probit again."""
    outcome, mediator = models
    x, z = outcome.model.exog.copy(), mediator.model.exog.copy()
    z[:, mediator.model.exog_names.index("treat")] = said_treated
    x[:, outcome.model.exog_names.index("treat")] = treated
    emo = outcome.model.exog_names.index("emo")
    x[:, emo] = z @ line
    return norm.cdf(x @ beta / np.sqrt(1 + (beta[emo] * spread) ** 2)).mean()


def effects(models, beta, line, spread):
    q = {(a, b): world(models, beta, line, spread, a, b) for a, b in product((0, 1), repeat=2)}
    return {"indirect": q[0, 1] - q[0, 0], "total": q[1, 1] - q[0, 0]}


def told(table):
    return table.set_index(["term", "measure"])["estimate"]


def test_framing_equals_the_closed_form_of_its_models(framing, models):
    """Identity: the quadrature over the mediator against the closed form, on statsmodels' fits."""
    found = told(cx.mediation(framing, TREAT, "emo", "cong_mesg", ABOUT, link="probit", replicates=0))
    outcome, mediator = (model.params.to_numpy() for model in models)
    true = effects(models, outcome, mediator, np.sqrt(models[1].scale))
    assert found["indirect", "control"] == pytest.approx(true["indirect"], abs=1e-8)
    assert found["total", "effect"] == pytest.approx(true["total"], abs=1e-8)


@pytest.mark.parametrize("term", ["indirect", "total"])
def test_framing_bootstrap_is_that_of_r_to_monte_carlo_error(framing, term):
    """R's estimate is a mean of 100 draws; its error is a tenth of their spread, which the interval shows."""
    table = cx.mediation(framing, TREAT, "emo", "cong_mesg", ABOUT, link="probit", replicates=400)
    measure = "control" if term == "indirect" else "effect"
    [row] = table[table["term"].eq(term) & table["measure"].eq(measure)].itertuples()
    estimate, lower, upper = BOOTSTRAP[term]
    error = (upper - lower) / (2 * 1.96 * 10)
    assert abs(row.estimate - estimate) < 3 * error
    assert row.std_error == pytest.approx((upper - lower) / (2 * 1.96), rel=0.25)


@pytest.mark.parametrize("term", ["indirect", "total"])
def test_framing_with_drawn_coefficients_is_that_of_r_to_monte_carlo_error(models, term):
    """The same g-formula, averaged over coefficients drawn from their normal law, is R's parametric estimate."""
    rng = np.random.default_rng(0)
    outcome, mediator = models
    betas, lines = (rng.multivariate_normal(m.params, m.cov_params(), 800) for m in (outcome, mediator))
    spread = np.sqrt(mediator.scale)
    draws = np.array([effects(models, b, line, spread)[term] for b, line in zip(betas, lines, strict=True)])
    assert abs(draws.mean() - PARAMETRIC[term][0]) < 3 * draws.std() / 10


def test_nothing_is_said_of_a_proportion_where_the_total_may_be_none(framing):
    table = cx.mediation(framing, TREAT, "emo", "cong_mesg", ABOUT, replicates=100)
    row = table[table["measure"].eq("proportion") & table["term"].eq("indirect")].iloc[0]
    assert np.isnan(row["estimate"]) and row["note"] == NO_PROPORTION


@pytest.fixture(scope="module")
def path():
    return draw_path(3000, seed=4)


def test_the_parts_add_up(path):
    """Identities: total = direct + indirect, with each held as without or as with the failure; and by mediator."""
    found = told(cx.mediation(path, {"service": {"failed": "good"}}, ["experience", "nps_class"], adjust=["fault"],
                              replicates=0))  # fmt: skip
    total = found["total", "effect"]
    assert found["indirect", "control"] + found["direct", "treated"] == pytest.approx(total)
    assert found["indirect", "treated"] + found["direct", "control"] == pytest.approx(total)
    assert found["indirect", "effect"] + found["direct", "effect"] == pytest.approx(total)
    parts = found["through experience", "effect"] + found["through nps_class", "effect"]
    assert parts == pytest.approx(found["indirect", "control"])


def test_one_mediator_and_no_confounder_is_pearls_formula(path):
    """Brute force: with interaction both models are saturated, so shares of the table are all there is."""
    found = told(cx.mediation(path, {"service": {"failed": "good"}}, "nps_class", interaction=True, replicates=0))
    risk = path.groupby(["service", "nps_class"])["left"].mean()
    said = path.groupby("service")["nps_class"].value_counts(normalize=True)

    def q(a, b):
        return sum(risk[a, level] * said[b, level] for level in said[b].index)

    indirect = q("good", "failed") - q("good", "good"), q("failed", "failed") - q("failed", "good")
    assert (found["indirect", "control"], found["indirect", "treated"]) == pytest.approx(indirect)
    assert found["total", "effect"] == pytest.approx(found["crude", "effect"])


def test_two_mediators_equal_statsmodels_fits_summed_by_hand(path):
    """Brute force on rows: GLM for every step and for leaving, then the sum over all levels for each customer."""
    found = told(cx.mediation(path, {"service": {"failed": "good"}}, ["experience", "nps_class"], adjust=["fault"],
                              replicates=0))  # fmt: skip
    y, levels = path["left"].astype(float), {"experience": ["not satisfied", "satisfied"],
                                             "nps_class": ["promoter", "passive", "detractor"]}  # fmt: skip

    def glm(formula, data, target):
        return sm.GLM.from_formula(f"t ~ {formula}", data.assign(t=target), family=sm.families.Binomial()).fit()

    outcome = glm("service + fault + experience + nps_class", path, y)
    first = glm("service + fault", path, path["experience"].eq("not satisfied").astype(float))
    one = glm("service + fault + experience", path, path["nps_class"].eq("promoter").astype(float))
    rest = path[path["nps_class"] != "promoter"]
    two = glm("service + fault + experience", rest, rest["nps_class"].eq("passive").astype(float))

    def q(a, b, c):
        total = 0.0
        for m, k in product(*levels.values()):
            low = first.predict(path.assign(service=b))
            p = low if m == "not satisfied" else 1 - low
            up = one.predict(path.assign(service=c, experience=m))
            mid = two.predict(path.assign(service=c, experience=m))
            said = {"promoter": up, "passive": (1 - up) * mid, "detractor": (1 - up) * (1 - mid)}[k]
            total += (outcome.predict(path.assign(service=a, experience=m, nps_class=k)) * p * said).mean()
        return total

    g, f = "good", "failed"
    assert found["total", "effect"] == pytest.approx(q(f, f, f) - q(g, g, g), abs=1e-7)
    assert found["direct", "control"] == pytest.approx(q(f, g, g) - q(g, g, g), abs=1e-7)
    assert found["through experience", "effect"] == pytest.approx(q(g, f, f) - q(g, g, f), abs=1e-7)
    assert found["through nps_class", "effect"] == pytest.approx(q(g, g, f) - q(g, g, g), abs=1e-7)


def test_the_truth_is_found_where_coefficients_mislead():
    """Known truth: the counterfactual worlds of the law behind the data, summed exactly."""
    true = path_truth()
    table = cx.mediation(draw_path(20_000, seed=9), {"service": {"failed": "good"}}, ["experience", "nps_class"],
                         adjust=["fault"], customer="customer_id", replicates=150)  # fmt: skip
    rows = table.set_index(["term", "measure"])
    for key, value in true.items():
        assert rows.loc[key, "lower"] < value < rows.loc[key, "upper"], key
    assert rows.loc[("crude", "effect"), "lower"] > true["total", "effect"]


def test_weights_stand_for_rows(path):
    """Identity: a weight of two is a row twice."""
    weighted = path.assign(w=np.where(np.arange(len(path)) % 3 == 0, 2, 1))
    twice = weighted.loc[weighted.index.repeat(weighted["w"])]
    asked = {"cause": {"service": {"failed": "good"}}, "adjust": ["fault"], "replicates": 0}
    assert told(cx.mediation(weighted, weights="w", **asked)).to_numpy() == pytest.approx(
        told(cx.mediation(twice, **asked)).to_numpy(), nan_ok=True
    )


def test_probit_equals_statsmodels(framing):
    x = np.column_stack([np.ones(len(framing)), framing["treat"], framing["age"]]).astype(float)
    y = framing["cong_mesg"].to_numpy(float)
    own = natural_effects.fit_link(x, np.ones((2, len(y))), np.stack([y, y]), "probit")
    assert own[1] == pytest.approx(sm.Probit(y, x).fit(disp=0).params, abs=1e-7)


CAUSE = {"service": {"failed": "good"}}


@pytest.mark.parametrize(
    ("change", "options", "line"),
    [
        ({}, {"cause": {"servise": {"failed": "good"}}}, "mediation: no column 'servise'; did you mean 'service'?"),
        ({}, {"cause": {"service": {"failing": "good"}}},
         "cause, column 'service': no level 'failing'; did you mean 'failed'?"),
        ({}, {"cause": {"service": {"failed": "good", "none": "good"}}}, "cause must name one column and one level"),
        ({}, {"mediators": ()}, "mediators must name at least one column"),
        ({}, {"mediators": ["nps_class", "nps_class"]}, "column 'nps_class' has two places in the path"),
        ({}, {"link": "cloglog"}, "no link 'cloglog'; "),
        ({"nps_class": None}, {}, "column 'nps_class' must have a value in every row, but 3,000 are empty"),
        ({"service": lambda f: np.where(f.index < 3, "failed", "good")}, {},
         "at least 10 customers must have 'failed', not 3; widen the period"),
        ({"nps_class": "promoter"}, {}, "mediator 'nps_class' must have two levels or more"),
        ({"left": False}, {}, "outcome 'left' must have at least 10 leavers and stayers, not 0"),
        ({"copy": lambda f: f["service"]}, {"adjust": ["copy"]},
         "column 'service' is determined by the confounders; leave out the one that tells it"),
        ({"score": lambda f: f.index % 11}, {"mediators": ["nps_class", "score"]},
         "mediator 'score' is a number beside others; make bands of it"),
    ],
)  # fmt: skip
def test_what_makes_no_path_is_refused_by_name(path, change, options, line):
    with pytest.raises(cx.CxError) as error:
        cx.mediation(path.assign(**change), **{"cause": CAUSE, "replicates": 0} | options)
    assert error.value.faults[0].startswith(line)
