"""Published claims: statsmodels for margins and differences, arithmetic by hand for sums, verdicts at their borders."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from cxlib.errors import CxError
from cxlib.published import (
    CLAIMS,
    CONSISTENT,
    NOT_CONSISTENT,
    UNTESTABLE,
    claim_consistency,
    claim_margins,
    claim_verdict,
    published_claims,
)
from cxlib.schema import TOO_FEW, results

INDUSTRIES = [56, 56, 51, 44, 51, 58, 48, 37]


def estimated(value, lower, upper, term="service", measure="share", **other):
    return {"term": term, "measure": measure, "estimate": value, "lower": lower, "upper": upper, "level": 0.95,
            "n": 500, "unit": "share", **other}  # fmt: skip


def claim(value=0.25, relation="equals", unit="share", n=None):
    return {"claim": "a quarter", "value": value, "relation": relation, "unit": unit, "n": n, "untestable": "no column"}


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_margins_are_wilsons(level):
    """Authority: statsmodels proportion_confint."""
    margins = claim_margins(level=level).set_index("term")
    expected = {"cx_marketing": 0.58 * 401, "cx_elsewhere": 0.42 * 401, "cx_it": 0.13 * 401, "cx_service": 0.06 * 401,
                "cx_alone": 0.04 * 401, "cx_large": 0.79 * 401, "cx_retail": 58, "cx_travel": 37}  # fmt: skip
    for term, count in expected.items():
        limits = proportion_confint(count, 401, alpha=1 - level, method="wilson")
        assert margins.loc[term, "estimate"] == pytest.approx(count / 401)
        assert margins.loc[term, ["lower", "upper"]].tolist() == pytest.approx(limits)
        assert margins.loc[term, "n"] == 401
    # Six shares and eight industries; the others give no n, or are no share.
    assert len(margins) == 14 and "unhappy_tell" not in margins.index and "cx_survey" not in margins.index


def test_the_margin_of_58_percent_of_401_by_hand():
    """Authority: Wilson's formula worked with z = 1.959964."""
    z2 = 1.959964**2
    centre, half = (
        (0.58 + z2 / 802) / (1 + z2 / 401),
        1.959964 / (1 + z2 / 401) * (0.58 * 0.42 / 401 + z2 / 401**2 / 4) ** 0.5,
    )
    row = claim_margins().set_index("term").loc["cx_marketing"]
    assert row[["lower", "upper"]].tolist() == pytest.approx([centre - half, centre + half], abs=1e-7)
    assert row[["lower", "upper"]].round(3).tolist() == [0.531, 0.627]


def test_what_adds_up_by_hand():
    """Authority: 56+56+51+44+51+58+48+37 = 401; 58 % + 42 % = 100 %; 13 % + 6 % + 4 % = 23 % of 42 %."""
    assert sum(INDUSTRIES) == 401
    found = claim_consistency().set_index(["term", "measure"])
    assert found.loc["cx_survey", "estimate"].to_dict() == {"parts": 401, "whole": 401, "unnamed": 0}
    assert found.loc["cx_survey (share)", "estimate"].to_dict() == pytest.approx({"parts": 1, "whole": 1, "unnamed": 0})
    assert found.loc["cx_elsewhere", "estimate"].to_dict() == pytest.approx(
        {"parts": 0.23, "whole": 0.42, "unnamed": 0.19}
    )
    notes = found.xs("unnamed", level="measure")["note"].to_dict()
    assert notes == {"cx_survey": "adds up", "cx_survey (share)": "adds up", "cx_elsewhere": "leaves a part unnamed"}
    # Four figures rounded to whole per cent leave two points of room.
    assert found.loc[("cx_elsewhere", "unnamed"), ["lower", "upper"]].tolist() == pytest.approx([0.17, 0.21])


@pytest.mark.parametrize(
    ("name", "value", "note"),
    [
        ("cx_retail", 59, "parts exceed the whole"), ("cx_retail", 57, "leaves a part unnamed"),
        ("cx_marketing", 0.59, "adds up"), ("cx_marketing", 0.595, "parts exceed the whole"),
        ("cx_it", 0.33, "adds up"), ("cx_it", 0.36, "parts exceed the whole"),
    ],
)  # fmt: skip
def test_a_figure_that_is_off_is_seen(name, value, note):
    """Whole per cent hide half a point each; numbers of respondents hide nothing."""
    claims = published_claims()
    claims.loc[name, "value"] = value
    whole = claims.loc[name, "part_of"] + (" (share)" if name == "cx_marketing" else "")
    found = claim_consistency(claims)
    assert found.loc[(found["term"] == whole) & (found["measure"] == "unnamed"), "note"].tolist() == [note]


@pytest.mark.parametrize(
    ("value", "lower", "upper", "verdict"),
    [
        (0.24, 0.20, 0.28, CONSISTENT), (0.30, 0.25, 0.35, CONSISTENT), (0.30, 0.256, 0.35, NOT_CONSISTENT),
        (0.20, 0.15, 0.244, NOT_CONSISTENT), (0.20, 0.15, 0.246, CONSISTENT),
        (0.30, 0.2549, 0.35, CONSISTENT),  # 25 % may be 25.49 %, rounded
    ],
)  # fmt: skip
def test_without_an_n_the_interval_decides(value, lower, upper, verdict):
    """Authority: the published value, rounded to whole per cent, inside the interval or outside."""
    found = claim_verdict(claim(), results([estimated(value, lower, upper)]), ("service", "share"))
    assert found.verdict == verdict and found.because == ""
    assert [found.difference, found.lower, found.upper] == pytest.approx([value - 0.25, lower - 0.25, upper - 0.25])


@pytest.mark.parametrize(("count", "n"), [(150, 500), (5, 20), (40, 401), (3000, 10_000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_with_an_n_the_difference_is_newcombes(count, n, level):
    """Authority: statsmodels confint_proportions_2indep, method newcomb."""
    lower, upper = proportion_confint(count, n, alpha=1 - level, method="wilson")
    row = estimated(count / n, lower, upper, level=level)
    found = claim_verdict(claim(100 / 401, n=401), results([row]), ("service", "share"))
    limits = confint_proportions_2indep(count, n, 100, 401, method="newcomb", compare="diff", alpha=1 - level)
    assert [found.lower, found.upper] == pytest.approx(limits)
    apart = limits[0] > 0.005 or limits[1] < -0.005
    assert found.verdict == (NOT_CONSISTENT if apart else CONSISTENT)


@pytest.mark.parametrize(
    ("value", "verdict", "difference"),
    [(0.25, CONSISTENT, 0), (0.45, CONSISTENT, 0), (0.21, CONSISTENT, 0.02), (0.17, NOT_CONSISTENT, 0.06),
     (0.54, CONSISTENT, -0.02), (0.61, NOT_CONSISTENT, -0.09)],
)  # fmt: skip
def test_a_share_between_two_bounds(value, verdict, difference):
    low, high = estimated(0.23, 0.19, 0.27, measure="low"), estimated(0.52, 0.47, 0.57, measure="high")
    found = claim_verdict(claim(value), results([low, high]), ("service", "low"), ("service", "high"))
    assert found.verdict == verdict and found.difference == pytest.approx(difference)


@pytest.mark.parametrize(
    ("relation", "lower", "upper", "verdict"),
    [
        ("more than", 0.55, 0.6, CONSISTENT), ("more than", 0.4, 0.51, CONSISTENT),
        ("more than", 0.4, 0.49, NOT_CONSISTENT), ("less than", 0.4, 0.45, CONSISTENT),
        ("less than", 0.52, 0.6, NOT_CONSISTENT),
    ],
)  # fmt: skip
def test_claims_of_more_and_less(relation, lower, upper, verdict):
    row = estimated((lower + upper) / 2, lower, upper)
    assert claim_verdict(claim(0.5, relation), results([row]), ("service", "share")).verdict == verdict


@pytest.mark.parametrize(
    ("published", "result", "at", "because", "told"),
    [
        (claim(), None, (), "", "no column"),
        (claim(), None, (), "the survey asked nobody", "the survey asked nobody"),
        (claim(), results([estimated(0.2, 0.1, 0.3)]), (), "", "no column"),
        (claim(np.nan), results([estimated(0.2, 0.1, 0.3)]), (("service", "share"),), "", "no column"),
        (claim(), results([estimated(0.2, 0.1, 0.3)]), (("price", "share"),), "", "gives no interval for price"),
        (claim(), results([estimated(0.2, 0.1, 0.3, note=TOO_FEW)]), (("service", "share"),), "", "gives no interval"),
        (claim(), results([estimated(0.2, np.nan, 0.3)]), (("service", "share"),), "", "gives no interval"),
    ],
)  # fmt: skip
def test_what_cannot_be_tested_says_why(published, result, at, because, told):
    found = claim_verdict(published, result, *at, because=because)
    assert found.verdict == UNTESTABLE and told in found.because and np.isnan(found.difference)


@pytest.mark.parametrize(("value", "verdict"), [(0.0, UNTESTABLE), (0.001, CONSISTENT), (0.3, CONSISTENT)])
def test_that_there_are_some_is_shown_by_one_and_not_refuted_by_none(value, verdict):
    row = estimated(value, 0.0, value + 0.01)
    found = claim_verdict(claim(0, "more than"), results([row]), ("service", "share"))
    assert found.verdict == verdict
    assert ("none was seen among 500, which does not show that there is none" in found.because) == (value == 0)


def test_an_estimate_in_another_unit_or_of_several_groups_is_refused():
    with pytest.raises(CxError, match="must be in the claim's unit, not points and share"):
        claim_verdict(claim(), results([estimated(20, 10, 30, unit="points")]), ("service", "share"))
    two = results([estimated(0.2, 0.1, 0.3, region=region) for region in "ab"], by=["region"])
    with pytest.raises(CxError, match=r"^claim_verdict: service\.share must be one row, not 2; keep one group$"):
        claim_verdict(claim(), two, ("service", "share"))


def test_every_claim_says_how_it_is_tested_and_what_would_make_it_untestable():
    claims = published_claims()
    assert claims.index.is_unique and len(claims) == 24
    assert claims["label"].is_unique and claims["label"].str.len().between(5, 40).all()
    assert (claims[["claim", "about", "population", "source", "test", "untestable"]] != "").all(axis=None)
    assert claims.loc[["service_role", "price_outweighs", "unhappy_tell", "happy_tell"], "value"].tolist() == [
        0.25, 0.3, 0.89, 0.87,
    ]  # fmt: skip
    assert claims.loc[claims["unit"] == "share", "value"].between(0, 1).all()
    assert claims.loc[claims["value"].isna(), "unit"].eq("").all()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("cx_it,", "cx_alone,", "'cx_alone' is there 2 times; give each claim its own name"),
        (",0.13,", ",some,", "'cx_it': value must be a number or empty, not 'some'"),
        # Python reads these two as numbers, pandas does not: a fault for one must not be a traceback of the other.
        (",0.13,", ",1_3,", "'cx_it': value must be a number or empty, not '1_3'"),
        (",0.13,", ",１３,", "'cx_it': value must be a number or empty, not '１３'"),
        (",0.13,", ",1e999,", "'cx_it': value must be a number or empty, not '1e999'"),
        (",0.13,", ",-0.13,", "'cx_it': value must lie between 0 and 1 for share, not -0.13"),
        (
            ",401,,2019,",
            ",4.5,,2019,",
            "'cx_survey': n must be a whole number of at most nine digits or empty, not '4.5'",
        ),
        (",0.13,equals", ",0.13,equal", "'cx_it': no relation 'equal'; did you mean 'equals'?"),
        (",untestable", ",untestible", "no column 'untestable'; did you mean 'untestible'?"),
        ("Zendesk", "", "'unhappy_tell': source must be given"),
        ("sit in IT", "", "'cx_it': label must be given"),
    ],
)
def test_a_file_that_is_off_is_refused(tmp_path, old, new, fault):
    text = CLAIMS.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "claims.csv").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CxError) as error:
        published_claims(tmp_path / "claims.csv")
    assert fault in str(error.value) and str(error.value).startswith("claims.csv: ")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'a,b\n"c', b"a\n1,2\n1,2,3,4\n"])
def test_a_file_that_is_no_csv_is_one_line(tmp_path, content):
    (tmp_path / "claims.csv").write_bytes(content)
    for path in (tmp_path / "claims.csv", tmp_path, tmp_path / "no.csv", tmp_path / "\x00"):
        with pytest.raises(CxError) as error:
            published_claims(path)
        assert all(": cannot be read as CSV: " in f or "no column" in f for f in error.value.faults), error.value
        assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("function", [claim_margins, claim_consistency])
def test_a_frame_that_holds_no_claims_is_refused(function):
    with pytest.raises(CxError, match=r"^claims: no column 'value'; There is none\n"):
        function(pd.DataFrame())


def test_a_part_of_nothing_is_refused():
    claims = published_claims().assign(part_of=lambda d: d["part_of"].replace("cx_survey", "cx_servey"))
    with pytest.raises(CxError, match="no claim 'cx_servey'; did you mean 'cx_survey'"):
        claim_consistency(claims)
    assert isinstance(claim_consistency(pd.DataFrame(published_claims().head(2))), pd.DataFrame)
