"""Themes and tones: sentences whose themes are known, hand counts, statsmodels, weights by definition, real reviews."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from cxlib import comments, engine
from cxlib.clauses import classified, text_view
from cxlib.comments import NO_THEME, WHOLE, comment_agreement, comment_examples, comment_themes
from cxlib.errors import CxError
from cxlib.intervals import tango
from cxlib.lexicon import read_lexicon
from cxlib.respondents import sentences
from cxlib.simulation import simulate

THEMES = tuple(read_lexicon().themes)
# What the simulator calls its touchpoints, in the words of the lexicon.
NAMES = {"help_pages": "service", "contact_support": "service", "technician": "service"}


def told(*texts: str) -> list[dict[str, str]]:
    """Theme -> tone of each comment, every comment a group of its own."""
    data = pd.DataFrame({"comment": texts, "place": range(len(texts))})
    found = comment_themes(data, by="place").pivot(index=["place", "term"], columns="measure", values="estimate")
    tones: list[dict[str, str]] = [{} for _ in texts]
    for (place, theme), row in found.drop(index=NO_THEME, level="term").iterrows():
        if theme == WHOLE or row["share"] == 1:
            tones[place][theme] = "positive" if row["positive"] else "negative" if row["negative"] else "unclear"
    return tones


def labelled(surveys: pd.DataFrame) -> pd.DataFrame:
    """Simulated comments with what is truly in them: the sentences they are made of, looked for word by word."""
    said = surveys["comment"].dropna().drop_duplicates()
    data = pd.DataFrame({"comment": said.to_numpy()})
    folded = data["comment"].str.lower()
    holds = {place: folded.str.contains(text.lower(), regex=False) for place, (_, _, text) in enumerate(sentences())}
    for theme in {name for name, _, _ in sentences()} - {"opening", "closing"}:
        own = [holds[place] for place, (name, _, _) in enumerate(sentences()) if name == theme]
        data[NAMES.get(theme, theme)] = np.any([*own, data.get(NAMES.get(theme, theme), own[0])], axis=0)
    for tone in ("positive", "negative"):
        own = [holds[place] for place, (_, sounds, _) in enumerate(sentences()) if sounds == tone]
        data[f"{tone}_said"] = np.sum(own, axis=0)
    return data


@pytest.fixture(scope="module")
def simulated():
    tables, _ = simulate(customers=600, months=24, seed=3)
    return labelled(tables["surveys"])


READ = [
    ("not expensive compared with others", {WHOLE: "positive", "price": "positive"}),
    ("No problem with delivery!", {WHOLE: "positive", "delivery": "positive"}),
    ("The delivery wasn't a problem.", {WHOLE: "positive", "delivery": "positive"}),
    ("The website isn’t really very easy", {WHOLE: "negative", "website": "negative"}),
    ("The app is great, but the invoice was wrong", {WHOLE: "unclear", "app": "positive", "billing": "negative"}),
    ("The app is great. The invoice was wrong.", {WHOLE: "unclear", "app": "positive", "billing": "negative"}),
    ("Terrible. I phoned three times.", {WHOLE: "negative", "service": "negative"}),  # the whole speaks for it
    ("NO PROBLEM AND GREAT FOOD", {WHOLE: "positive", "food": "positive"}),  # "great" is not turned
    ("not one of the many new problems", {WHOLE: "negative"}),  # too far for the negator
    ("An engineer came on site", {WHOLE: "unclear", "service": "unclear", "staff": "unclear"}),  # no website
    ("Delivery-service: superb", {WHOLE: "positive", "service": "positive", "delivery": "positive"}),
    ("The bill. Not. Good app", {WHOLE: "positive", "billing": "positive", "app": "positive"}),
]


def test_read_by_hand():
    """Authority: a reader."""
    texts = [text for text, _ in READ]
    assert dict(zip(texts, told(*texts), strict=True)) == dict(READ)


HOSTILE = ["", "  ", "!!! ...", "\n\n", "😀", "+ - < >", "<script>alert(1)</script>", "'); DROP TABLE x; --",
           "\\1 $1 (?:", "a" * 20_000]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_comments_are_text(text):
    found = comment_themes(pd.DataFrame({"comment": [text, "bad app"]})).set_index(["term", "measure"])
    n = 1 + any(sign.isalnum() for sign in text)
    assert found.loc[("app", "share"), ["estimate", "n"]].tolist() == [1 / n, n]
    assert found.loc[(WHOLE, "negative"), "estimate"] == 1 / n  # signs of the text are not taken for tones


def test_shares_are_those_of_statsmodels_and_nets_those_of_tango():
    """Authority: counted by hand; statsmodels' Wilson; the Tango limits that `nps` is held to."""
    said = ["the price is fair"] * 6 + ["too expensive"] * 3 + ["the price"] * 2 + ["good app"] * 8 + [None, " "]
    found = comment_themes(pd.DataFrame({"comment": said})).set_index(["term", "measure"])
    for (term, measure), count, n in [
        (("price", "share"), 11, 19), (("price", "positive"), 6, 11), (("price", "negative"), 3, 11),
        (("app", "share"), 8, 19), ((NO_THEME, "share"), 0, 19), ((WHOLE, "positive"), 14, 19),
    ]:  # fmt: skip
        row = found.loc[(term, measure)]
        assert row["estimate"] == pytest.approx(count / n) and row["n"] == n
        low, high = proportion_confint(count, n, method="wilson")
        assert row[["lower", "upper"]].tolist() == pytest.approx([max(low, 0), high], abs=1e-12)
    low, high = tango(3, 2, 6)
    assert found.loc[("price", "net"), ["estimate", "lower", "upper"]].tolist() == pytest.approx(
        [100 * 3 / 11, 100 * float(low), 100 * float(high)]
    )


@pytest.fixture(scope="module")
def one_by_one():
    """Every sentence of the simulator with its themes, each read alone."""
    seen = text_view(pd.DataFrame({"comment": [text for _, _, text in sentences()]}), "comment", [])
    read = classified(seen, "comment", {"raw": seen["comment"]}, read_lexicon())
    rows = engine.collect(read.frame).to_dict("records")
    return {row["raw"]: {theme for i, theme in enumerate(THEMES) if row[f"m{i}"]} for row in rows}


@pytest.mark.parametrize("by", [None, "team", ["team", "year"]])
@pytest.mark.parametrize("weights", [None, "w"])
def test_groups_and_weights_as_by_definition(by, weights, one_by_one):
    """Authority: flags of single comments averaged in pandas; linearised by definition."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"comment": rng.choice(list(one_by_one), 300), "team": rng.choice(["a", "b"], 300),
                         "year": rng.choice([2025, 2026], 300), "w": rng.uniform(0.2, 3, 300)})  # fmt: skip
    data.loc[rng.random(300) < 0.1, "comment"] = None
    about = {t: data["comment"].map(lambda text, t=t: t in one_by_one.get(text, {})) for t in ("service", "price")}
    found = comment_themes(data, by=by, weights=weights)
    keys = [by] if isinstance(by, str) else by or []
    spoken = data["comment"].notna()
    for values, rows in found.groupby(keys) if keys else [((), found)]:
        inside = spoken.copy()
        for key, value in zip(keys, values, strict=True):
            inside &= data[key] == value
        w = data["w"] if weights else pd.Series(1.0, data.index)
        for theme, flag in about.items():
            row = rows[(rows["term"] == theme) & (rows["measure"] == "share")].iloc[0]
            share = (w * flag)[inside].sum() / w[inside].sum()
            z = (w * (flag - share) / w[inside].sum())[inside]
            error = np.sqrt((z**2).sum() * (spoken.sum() / (spoken.sum() - 1) if weights else 1))
            assert row[["estimate", "std_error", "n"]].tolist() == pytest.approx([share, error, inside.sum()])


def test_every_true_theme_is_found(simulated):
    """Authority: the sentences the simulator put in. Written by the hand that wrote the lexicon: an upper bound."""
    names = {theme: theme for theme in THEMES if theme in simulated}
    assert len(names) == 10
    found = comment_agreement(simulated, names).set_index(["term", "measure"])["estimate"]
    assert found.xs("recall", level="measure").eq(1).all()
    precise = found.xs("precision", level="measure")
    # "The sales staff explained the contract well" is no support, and a "set-up guide" for a device no product.
    assert precise.drop(["service", "product"]).eq(1).all()
    assert precise[["service", "product"]].between(0.85, 1).all()


def test_no_true_tone_is_turned_round(simulated):
    """Authority: the tones of the sentences. A comment of one tone may stay unclear, but is not taken for the other."""
    pure = simulated[(simulated["positive_said"] == 0) != (simulated["negative_said"] == 0)]
    pure = pure.assign(good=pure["positive_said"] > 0, bad=pure["negative_said"] > 0)
    found = comment_agreement(pure, {"positive": "good", "negative": "bad"}).set_index(["term", "measure"])["estimate"]
    assert found.xs("precision", level="measure").eq(1).all()
    assert found.xs("recall", level="measure").gt(0.75).all()


def test_agreement_by_hand():
    """Authority: a table of 8, 2, 4 and 16 counted by hand; statsmodels for kappa and Wilson."""
    said = ["too expensive"] * 10 + ["good app"] * 20
    label = [True] * 8 + [False] * 2 + [True] * 4 + [False] * 16
    data = pd.DataFrame({"comment": [*said, "too expensive", None], "on_price": [*label, None, True]})
    found = comment_agreement(data.astype({"on_price": "boolean"}), {"price": "on_price"}).set_index("measure")
    assert found["estimate"].tolist()[:2] == pytest.approx([8 / 10, 8 / 12])
    assert found["n"].tolist() == [10, 12, 30]
    assert found.loc["recall", ["lower", "upper"]].tolist() == pytest.approx(proportion_confint(8, 12, method="wilson"))
    kappa = cohens_kappa([[8, 2], [4, 16]])
    row = found.loc["kappa", ["estimate", "std_error", "lower", "upper"]]
    assert row.tolist() == pytest.approx([kappa.kappa, kappa.std_kappa, kappa.kappa_low, kappa.kappa_upp])
    assert kappa.kappa == pytest.approx((24 / 30 - 8 / 15) / (1 - 8 / 15))


def test_agreement_without_exception_has_no_interval_of_no_width():
    data = pd.DataFrame({"comment": ["too expensive"] * 10 + ["good app"] * 10, "on_price": [1] * 10 + [0] * 10})
    row = comment_agreement(data, {"price": "on_price"}).set_index("measure").loc["kappa"]
    assert row["estimate"] == 1 and np.isnan(row["lower"]) and row["method"] == "Cohen's kappa (no spread)"
    few = comment_agreement(data.iloc[6:14], {"price": "on_price"}).set_index("measure").loc["kappa"]
    assert np.isnan(few["estimate"]) and few["note"] == "too few"


@pytest.mark.real_data("skytrax_lounge.csv")
def test_the_tone_of_real_reviews_goes_with_their_ratings(real_data):
    """Authority: what travellers answered to other questions; no word of the lexicon was fitted to them."""
    reviews = pd.read_csv(real_data / "skytrax_lounge.csv")
    reviews = reviews.assign(good=reviews["recommended"] == 1, bad=reviews["recommended"] == 0)
    found = comment_agreement(reviews, {"positive": "good", "negative": "bad"}, comment="content")
    kappa = found[found["measure"] == "kappa"].set_index("term")
    assert kappa["lower"].gt(0.3).all() and kappa["n"].eq(2264).all()
    staff = comment_themes(reviews, comment="content", by="staff_service_rating").query("term == 'staff'")
    net = staff[staff["measure"] == "net"].set_index("staff_service_rating")
    assert net.loc[[1, 2, 3, 4, 5], "estimate"].is_monotonic_increasing
    assert net.loc[1, "upper"] < 0 < net.loc[5, "lower"]


def test_no_comment_is_shown_unless_the_study_says_so():
    data = pd.DataFrame({"comment": ["Support was slow. Regards, Jo Smith"] * 12 + ["App bad"], "author": "Jo Smith"})
    for not_allowed in (False, None, 1, "true"):
        assert comment_examples(data, not_allowed) is None
    shown = comment_examples(data, True)
    assert shown.to_numpy().tolist() == [["service", "negative", "Support was slow. Regards, [name]"]]
    assert list(shown.columns) == ["theme", "tone", "comment"]
    assert set(comment_examples(data, True, minimum_group=1)["theme"]) == {"service", "app"}
    assert comment_examples(data, True, minimum_group=100).empty


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (lambda d: comment_themes(d, comment="coment"), "no column 'coment'; did you mean 'comment'"),
        (lambda d: comment_themes(d, comment="x"), "column 'x' must hold text, it does not"),
        (lambda d: comment_themes(d.assign(comment="…")), "'comment' must hold at least one comment; it has none"),
        (lambda d: comment_themes(d, weights="comment"), "weights 'comment' must hold numbers"),
        (lambda d: comment_themes(d, level=95), "level must lie between 0 and 1"),
        (lambda d: comment_themes(d, by="term"), "by: 'term' is also a column of the result"),
        (lambda d: comment_agreement(d, {}), "labels must be {theme: column}"),
        (lambda d: comment_agreement(d, {"servce": "x"}), "labels: no theme 'servce'; did you mean 'service'"),
        (lambda d: comment_agreement(d, {"service": "x"}),
         "labels: column 'x' must hold true/false or 0/1, but 2 rows hold another value; recode them"),
        (lambda d: comment_agreement(d, {"service": "word"}),
         "labels: column 'word' must hold true/false or 0/1, not words; compare it first"),
    ],
)  # fmt: skip
def test_faults_are_told(call, fault):
    data = pd.DataFrame({"comment": ["slow app", "good"], "x": [2, 3], "word": ["yes", "no"]})
    with pytest.raises(CxError) as error:
        call(data)
    assert fault in str(error.value)


def test_every_state_is_counted_once():
    """Identity: positive, negative and unclear comments of a theme are the comments on it."""
    assert set(comments.STATES) == {-1, 0, 1}
    said = [text for _, _, text in sentences()]
    found = comment_themes(pd.DataFrame({"comment": said})).set_index(["term", "measure"])
    for theme in (WHOLE, *THEMES):
        net = found.loc[(theme, "net")]
        if net["n"]:
            parts = found.loc[theme, "estimate"]
            assert net["estimate"] == pytest.approx(100 * (parts["positive"] - parts["negative"]))
