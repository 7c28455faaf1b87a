"""Values, texts and answers that nobody expects, into the functions that take no table of a study: right, or a line."""
# ruff: noqa: E501  (a fault is one line, however long)

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cxlib as cx
from cxlib import workshop
from cxlib.published import COLUMNS
from cxlib.schema import TABLES
from tests.hostile import KINDS, NASTY, cells, columns, files, sound_lines, tried

patient = settings(suppress_health_check=list(HealthCheck))
anything = st.one_of(*KINDS.values(), cells, st.lists(cells, max_size=3), st.dictionaries(cells, cells, max_size=2))
amounts = st.floats() | st.integers(-3, 2000) | st.sampled_from([0, 1, 0.5, 5, 100, 10**40, 5e-324])
shares = st.floats(0, 1) | st.sampled_from([0, 1, 0.5, 0.95]) | amounts


def mostly(sound):
    """Sound values, and one in four of any kind."""
    return st.one_of(sound, sound, sound, anything)


texts = st.lists(
    st.sampled_from([*NASTY, "Dear", "Anna", "regards,", "spoke to", "van der", "www.", "@", " at ", " dot ", "DE02", "1200 5000 "])
    | st.text(max_size=9), max_size=8,
).map(" ".join)  # fmt: skip


@patient
@given(texts, texts)
def test_masked(before, after):
    """Known truth: what is put in must not be in what comes out."""
    told = tried(
        cx.masked, f"{before} jo.smith@example.org {after} 4111 1111 1111 1111 {before} +44 20 7946 0018 {after}"
    )
    assert told is not None and "jo.smith@" not in told and "1111 1111" not in told and "7946 0018" not in told


CLAIMS = {
    "name": [f"claim {i}" for i in range(9)], "value": ["0.25", "0.5", "12", ""], "relation": ["equals", "more than", "less than"],
    "unit": ["share", "respondents", "points"], "n": ["100", "", "7"], "part_of": ["", "", "claim 1"], "year": ["2024", ""],
} | {name: ["x"] for name in ("label", "claim", "about", "population", "source", "test", "untestable")}  # fmt: skip
CLAIMS = {name: CLAIMS[name] for name in ("name", *COLUMNS)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


@patient
@given(files(CLAIMS, low=1), mostly(shares))
def test_published_claims(folder, content, level):
    (folder / "claims.csv").write_bytes(content)
    claims = tried(cx.published_claims, folder / "claims.csv")
    if claims is None:
        return
    margins = tried(cx.claim_margins, claims, level)
    if margins is not None:  # limits of a share are shares about it
        assert (margins["lower"].between(0, 1) & margins["upper"].between(0, 1)).all()
    tried(cx.claim_consistency, claims)
    estimates = cx.nps(pd.DataFrame({"recommend": [0, 5, 9, 10]}))
    for _, claim in claims.iterrows():
        assert tried(cx.claim_verdict, claim, estimates).verdict == "cannot be tested with these data"
        tried(cx.claim_verdict, claim, estimates, ("nps", "nps"))


@patient
@given(
    st.fixed_dictionaries(
        {},
        optional={name: mostly(amounts) for name in ("margin", "change", "answers", "ratio", "design_effect")}
        | {name: mostly(shares) for name in ("level", "power")}
        | {"mix": mostly(st.tuples(shares, shares, shares) | st.sampled_from([(0.2, 0.3, 0.5), (0, 1, 0), (1, 0, 0)]))},
    )
)
def test_nps_sample_size(asked):
    found = tried(cx.nps_sample_size, **asked)
    if found is not None:
        # Not a number, and why in the note.
        assert (found["estimate"].ge(0) | found["note"].ne("")).all(), found


@patient
@given(
    st.none() | st.lists(amounts, max_size=12).map(pd.Series) | st.integers(0, 12).flatmap(columns) | anything,
    mostly(st.sampled_from([10, 1, 5])),
    mostly(st.integers(-1, 30)),
    mostly(st.integers(-1, 2000)),
    mostly(shares),
    mostly(st.integers(-1, 2**70)),
)
def test_repeated_samples(counts, top, samples, size, level, seed):
    found = tried(cx.repeated_samples, counts, top, samples, size, level, seed)
    if found is not None:
        assert len(found) == samples + 1
        assert found["estimate"].between(-100 - 1e-9, 100 + 1e-9).all()


@patient
@given(
    st.fixed_dictionaries({"customers": mostly(st.sampled_from([1, 2, 5])), "months": mostly(st.sampled_from([9, 10]))},
                          optional={"seed": mostly(st.integers(-1, 2**70))}),
    st.dictionaries(st.sampled_from(["service_failed", "service_fail", "price_raised", "x"]), mostly(amounts), max_size=1),
)  # fmt: skip
def test_simulate_with_effects(asked, story):
    found = tried(cx.simulate, **asked, **story)
    assert found is None or sorted(found[0]) == sorted(TABLES)


answers = st.one_of(
    anything, anything, st.sampled_from([..., None, 20, "20 %", "0,2", "b", math.nan, np.float64(7), {1: "service"}, {}]),
    st.tuples(anything, anything), st.tuples(anything, anything, anything), st.text("SPOB? \n", max_size=14),
    st.integers(0, 3).flatmap(columns), st.integers(0, 3).flatmap(columns).map(pd.Series.to_frame),
    st.dictionaries(st.integers(0, 40), st.sampled_from(["service", "beyond", "x", None, 3]), max_size=40),
)  # fmt: skip


@patient
@given(st.sampled_from(sorted(workshop.EXERCISES)) | anything, answers)
def test_workshop_answers(exercise, answer):
    """A check never raises, and what it says stands on one line."""
    told = workshop.check(exercise, answer)
    assert sound_lines([told.message]), told.message
    assert not re.search(r"<script>|<img", told._repr_html_())


@patient
@given(answers, answers, answers)
def test_workshop_votes_and_memos(one, two, three):
    tried(workshop.votes, one)
    tried(workshop.headline, one, two)
    assert sound_lines([str(tried(workshop.memo, one, two, three))])
    if isinstance(one, dict):  # as the board of scenes gives it
        assert set(tried(workshop.vote, one)) <= set("SB?")
