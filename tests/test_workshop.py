"""Checks of the workshop: right answers in every form people write, the slips they really make, nothing ever raised."""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib import leaving_checks, lessons, measure_checks, scene_checks, score_checks
from cxlib.lessons import full
from cxlib.marking import NOTHING
from cxlib.study import ROOT
from cxlib.workshop import EXERCISES

S, B = "service", "experience beyond service"


def sorted_as(aspect, **changes):
    """All scenes of an aspect sorted rightly but for those named, as s7="service"."""
    _, first, last, _ = scene_checks.ASPECTS[aspect]
    right = full("workshop_scenes.csv").set_index("number").loc[first:last, aspect].to_dict()
    return right | {int(key[1:]): value for key, value in changes.items()}


def alike(aspect, choice):
    return dict.fromkeys(sorted_as(aspect), choice)


def way(*lines):
    """A table of touchpoints, good but for what the lines say: six good ones, the first of them replaced."""
    good = [
        "advert | discover | marketing | no", "shop | buy | sales | no", "bill | use | finance | no",
        "hotline | support | customer service | yes", "renewal | renew | sales | no", "app | use | product | no",
    ]  # fmt: skip
    return cx.workshop.touchpoints("\n".join([*lines, *good[len(lines) :]]))


def lines(count, *, stage="use", service="no"):
    return cx.workshop.touchpoints("\n".join(f"touchpoint {i} | {stage} | sales | {service}" for i in range(count)))


REASONS_STRICT, REASONS_WIDE = "SPOOOSOPOOPO", "SPSOOSSPSOPO"
SWAPPED = {number: B if choice == S else S for number, choice in sorted_as("scope").items()}
RIGHT = {
    "1.1": sorted_as("scope"), "1.2": sorted_as("stage"), "1.3": sorted_as("department"),
    "1.4": sorted_as("initiative"), "1.5": way(), "2.1": 20, "2.2": 11 / 18, "2.3": 80 / 17, "2.4": 4, "2.5": 6 / 11,
    "2.6": "c", "2.7": ["NPS", "CSAT", "CES", "response", "resolution"], "2.8": [3, 16],
    "3.1": 1 - (132 / 2417) / (260 / 2747), "3.2": "b", "3.3": 0.252, "3.4": 0.238, "3.5": (0.232, 128 / 260),
    "3.6": (REASONS_STRICT, REASONS_WIDE), "3.7": "d", "3.8": "a", "4.1": "technician", "4.2": "b", "4.3": 0,
    "4.4": "purchase", "4.5": "contact_support", "4.6": ("contact_support", 80, "sure"),
}  # fmt: skip
# Exercise, a wrong answer that people give, a part of the remark on it.
SLIPS = [
    ("1.1", alike("scope", S), "If all of it is service, the word says nothing"),
    ("1.1", alike("scope", B), "If none of it is service"),
    ("1.1", SWAPPED, "The two words are swapped"),
    ("1.1", sorted_as("scope", s8=S), "Compare 7 with 8: in one somebody is helped"),
    ("1.1", sorted_as("scope", s1=S), "not yet help for someone who needs it"),
    ("1.1", sorted_as("scope", s10=B), "Is help only help when a person gives it?"),
    ("1.1", sorted_as("scope", s2="?"), "Still to be sorted: 2."),
    ("1.1", sorted_as("scope", s2="servise"), "'servise' is none of the choices; did you mean 'service'?"),
    ("1.2", alike("stage", "support"), "not whether something went wrong"),
    ("1.2", sorted_as("stage", s14="support", s18="support"), "not whether something went wrong"),
    ("1.2", sorted_as("stage", s15="buy"), "buying is over"),
    ("1.2", sorted_as("stage", s20="use"), "Is a purchase complete before the thing is there?"),
    ("1.2", sorted_as("stage", s16="use"), "decides whether to stay"),
    ("1.3", alike("department", "customer service"), "Customer service hears of it."),
    ("1.3", sorted_as("department", s22="customer service", s25="customer service"), "Customer service hears of it."),
    ("1.3", sorted_as("department", s23="customer service"), "who could make the question go?"),
    ("1.3", sorted_as("department", s24="product"), "about promises"),
    ("1.3", sorted_as("department", s27="product"), "Think of stock, routes and rosters"),
    ("1.4", alike("initiative", "reactive"), "nobody had asked yet"),
    ("1.4", alike("initiative", "proactive"), "a customer had asked first"),
    ("1.4", sorted_as("initiative", s31="proactive"), "The channel does not decide it."),
    ("1.4", sorted_as("initiative", s29="reactive"), "had anybody asked?"),
    ("1.4", sorted_as("initiative", s30="proactive"), "Credit for those who ask"),
    ("1.5", lines(3), "3 touchpoints so far"),
    ("1.5", lines(6, service="yes"), "All of it is service?"),
    ("1.5", lines(6), "None of it is service?"),
    ("1.5", way("advert | discovery | marketing | no"), "No stage is called 'discovery'; did you mean 'discover'?"),
    ("1.5", way("advert | discover | marketing | perhaps"), "The last part of a line is yes or no"),
    ("1.5", way("advert | discover | | no"), "Line 1 lacks a part"),
    ("1.5", way("shop | discover | marketing | no"), "'shop' is there twice"),
    ("1.5", way(*[f"page {i} | use | product | no" for i in range(3)]), "Only 3 of the five stages occur"),
    ("1.5", "advert | discover | marketing | no", "Make a table of your lines"),
    ("2.1", 400 / 26, "Your denominator counts passives twice"),
    ("2.1", 400 / 14, "Your denominator leaves the passives out."),
    ("2.1", 0.2, "times 100"),
    ("2.1", 4, "That is a number of people"),
    ("2.1", 45, "the share of promoters alone"),
    ("2.1", -20, "The two are swapped"),
    ("2.1", 40, "An 8 is not yet a promoter"),
    ("2.1", 30, "A 6 is a detractor still"),
    ("2.1", 7.6, "mean of the scores"),
    ("2.1", 76, "mean of the scores, times ten"),
    ("2.1", 55, "Count three groups"),
    ("2.2", 0.55, "Two customers left this question out"),
    ("2.2", 5 / 18, "counts the fives only"),
    ("2.2", 16 / 18, "A 3 is the middle"),
    ("2.2", 3.72, "That is the mean."),
    ("2.2", 11, "of how many who answered?"),
    ("2.3", 4, "Empty is not zero"),
    ("2.3", 8 - 80 / 17, "7 is easy"),
    ("2.3", 11 / 17, "another convention"),
    ("2.3", 64.7, "another convention"),
    ("2.3", 17.6, "the net share"),
    ("2.4", 3.5, "leaves out who is still waiting"),
    ("2.4", 7.55, "mean of those answered"),
    ("2.4", 3, "No answer yet is not an answer at once"),
    ("2.4", 30, "the longest wait"),
    ("2.5", 6 / 9, "leaves out the tickets still open"),
    ("2.5", 6 / 20, "Not everyone contacted support"),
    ("2.5", 5 / 11, "24 hours sharp is within"),
    ("2.5", 9 / 11, "resolved at all"),
    ("2.6", "a", "about all customers taken together"),
    ("2.6", "b", "not about the next sample"),
    ("2.6", "d", "who were not asked"),
    ("2.6", "e", "one of the letters: a, b, c, d"),
    ("2.7", ["CSAT", "NPS", "CES", "response", "resolution"], "Question 1: CSAT asks how content"),
    ("2.7", ["NPS", "CES", "CSAT", "response", "resolution"], "Question 2: CES asks how easy"),
    ("2.7", ["NPS", "CSAT", "CES", "resolution", "response"], "Question 4: The time to resolution"),
    ("2.7", ["NPS", "CSAT", "CES", "response", "response"], "response stands there 2 times"),
    ("2.7", ["NPS", "CSAT"], "Five questions, five measures"),
    ("2.8", [3, 7, 16], "Someone in your list is a passive"),
    ("2.8", [12, 20], "That is the reverse"),
    ("2.8", [3, 10], "never contacted support"),
    ("2.8", 3, "there is one more"),
    ("2.8", [3, 5], "rated support below 5"),
    ("2.8", [99], "Give the numbers of customers"),
    ("3.1", 128 / 260, "Some of them would have left anyway."),
    ("3.1", 0.859, "Compare with all"),
    ("3.1", 0.333, "difference of the two risks"),
    ("3.1", 0.12, "how many customers had a failed contact"),
    ("3.1", 0.577, "what remains without failures"),
    ("3.2", "a", "Turn the knob to 1 and look"),
    ("3.2", "c", "around the same wrong place"),
    ("3.2", "d", "you have just set it so"),
    ("3.3", 0.423, "That is the naive share again"),
    ("3.3", 0.29, "You compare with no contact at all."),
    ("3.3", 0.384, "across all groups of faults at once"),
    ("3.3", 0.238, "plain mean of the three groups"),
    ("3.3", 0.492, "whether or not it made a difference"),
    ("3.4", 0.2317, "That is service removed first."),
    ("3.4", 0.2450, "That is service removed last."),
    ("3.4", 0.2166, "half of both together"),
    ("3.4", 0.5518, "splits by size"),
    ("3.4", 0.1949, "the average share of price"),
    ("3.5", 0.238, "Two numbers are asked for"),
    ("3.5", (0.492, 0.232), "The least comes first"),
    ("3.5", (0, 1), "True of everything."),
    ("3.5", (0.15, 0.32), "how sure we are of one number"),
    ("3.5", (0.232, 0.423), "The naive share is no bound."),
    ("3.5", (0.232, 0.6), "The least is right."),
    ("3.5", (0.1, 0.492), "The most is right."),
    ("3.6", (REASONS_WIDE, REASONS_WIDE), "Both rules are coded alike."),
    ("3.6", (REASONS_WIDE, REASONS_STRICT), "The two rules are swapped"),
    ("3.6", ("SPOOOSOOOOPO", REASONS_WIDE), "Look again at price"),
    ("3.6", ("SPOSOSOPOOPO", REASONS_WIDE), "not service under either rule"),
    ("3.6", ("SPO", REASONS_WIDE), "The strict rule has 3 letters"),
    ("3.6", (REASONS_STRICT, "SPSOOSSPSOPX"), "The wide rule: S for service"),
    ("3.6", (REASONS_STRICT, "SPOOOSSPSOPO"), "Read the wide rule again"),
    ("3.7", "a", "the fraction is its lower bound"),
    ("3.7", "b", "Look at the two bounds again."),
    ("3.7", "c", "That is the naive figure again"),
    ("3.8", "b", "more exact, and no clearer"),
    ("3.8", "c", "The rest need not be service"),
    ("3.8", "d", "A name is not a denominator."),
    ("4.1", "product", "high in both columns"),
    ("4.1", "contact_support", "The highest correlation"),
    ("4.1", "website", "Low in both columns."),
    ("4.1", "billing", "The other way round"),
    ("4.1", "technican", "did you mean 'technician'?"),
    ("4.2", "a", "its correlation does not stay"),
    ("4.2", "c", "the correlations rise"),
    ("4.2", "d", "the shares still differ"),
    ("4.3", 5299, "That is all answers."),
    ("4.3", 1969, "how many rated support"),
    ("4.3", 156, "the rarest touchpoint"),
    ("4.3", 34523, "how many cells are empty"),
    ("4.4", "contact_support", "A low rating costs most there"),
    ("4.4", "app", "gain as much as low ones cost"),
    ("4.4", "product", "by a smaller margin"),
    ("4.5", "price", "the most expensive"),
    ("4.5", "help_pages", "The cheapest, but its interval holds 0"),
    ("4.5", "product", "The largest share of the score"),
    ("4.5", "website", "more points for the same money"),
    ("4.6", ("price", 80, "sure"), "thousand: more than the budget."),
    ("4.6", ("help_pages", 80, "sure"), "You call it sure, but its interval holds 0."),
    ("4.6", ("contact_support", 80, "unsure"), "You call it unsure, but its interval lies above 0."),
    ("4.6", ("contact_support", -1, "sure"), "The budget is a number of thousands, up to "),
    ("4.6", ("contact_support", 80, ...), "Still to be chosen: evidence."),
    ("4.6", ("contact", 80, "sure"), "did you mean 'contact_support'?"),
]


@pytest.mark.parametrize("key", EXERCISES)
def test_the_right_answer_is_right(key):
    verdict = cx.workshop.check(key, RIGHT[key])
    assert verdict.right, verdict
    assert verdict.message == EXERCISES[key].praise


@pytest.mark.parametrize(("key", "answer", "remark"), SLIPS)
def test_a_slip_that_people_make_gets_its_own_remark(key, answer, remark):
    verdict = cx.workshop.check(key, answer)
    assert not verdict.right
    assert remark in verdict.message


def test_every_exercise_knows_three_slips_at_least():
    counts = pd.Series([key for key, _, _ in SLIPS]).value_counts()
    assert set(counts.index) == set(EXERCISES)
    assert counts.min() >= 3


def test_every_remark_on_a_slip_is_another_one():
    """Two wrong answers of one exercise with one remark would mean that the remark is not specific."""
    told = pd.DataFrame([(key, cx.workshop.check(key, answer).message) for key, answer, _ in SLIPS])
    assert (told.groupby(0)[1].nunique() >= 3).all()


# What computed answers rest on: the numbers above, by other ways


def test_the_twenty_give_what_a_spreadsheet_gives():
    """Authority: counts in the file, by hand (promoters 9, passives 6, detractors 5; 11 of 18; 80 in 17; 6 of 11)."""
    rows = cx.workshop.twenty()
    assert ((rows["recommend"] >= 9).sum(), rows["recommend"].between(7, 8).sum()) == (9, 6)
    assert measure_checks._nps() == pytest.approx(20)
    assert cx.nps(rows)["estimate"].item() == pytest.approx(measure_checks._nps())
    csat = cx.csat(rows, score="satisfaction").set_index("measure")["estimate"]
    assert csat["csat"] == pytest.approx(measure_checks._csat()) == pytest.approx(11 / 18)
    ces = cx.ces(rows).set_index("measure")["estimate"]
    assert ces["mean"] == pytest.approx(measure_checks._effort().mean()) == pytest.approx(80 / 17)


def test_times_by_hand_are_those_of_the_kit():
    """Authority: Kaplan-Meier of the kit, censored at the extract, on the same contacts."""
    tickets, as_of = lessons.tickets(lessons.twenty()), lessons.as_of()
    response = cx.first_response_time(tickets, as_of=as_of).set_index("measure")["estimate"]
    resolution = cx.resolution_time(tickets, target=24, as_of=as_of).set_index("measure")["estimate"]
    assert response["median"] == pytest.approx(measure_checks._response())
    assert resolution["within_target"] == pytest.approx(measure_checks._kept())


def test_shares_by_hand_are_those_of_the_kit():
    """Authority: the kit's estimates on the example; the standardised share is its saturated model's."""
    fit = lessons.attrition()
    naive = cx.unadjusted_fractions(fit).set_index("term")["estimate"]["service"]
    assert leaving_checks.naive() == pytest.approx(naive)
    role = cx.role_interval(fit).set_index(["term", "measure"])["estimate"]
    assert leaving_checks.with_failure() == pytest.approx(role["service", "upper_bound"])
    table = cx.attributable_fractions(fit).set_index(["term", "measure"])["estimate"]
    assert leaving_checks.average() == pytest.approx(table["service", "average_fraction"])
    # Of those who contacted support, with terms for each pair of bands, the model is the table.
    frame = cx.study_frame(lessons.example()).to_pandas()
    asked = frame[frame["service_band"] != "none"]
    causes = {"service": {"service_band": {"failed": "good"}}}
    own = cx.fit_attrition(asked, "left", causes, ["fault_band"], interactions="all", replicates=0)
    share = cx.attributable_fractions(own).set_index(["term", "measure"])["estimate"]["service", "fraction"]
    assert leaving_checks.standardised() == pytest.approx(share * asked["left"].sum() / frame["left"].sum(), abs=1e-9)


def test_scores_are_those_of_the_kit():
    """Authority: a count over the answers and the tables that learners see."""
    assert score_checks._complete() == len(cx.workshop.rated().dropna()) == 0
    offers = cx.workshop.offers()
    assert (offers["gain"] / offers["cost"])[offers["lower"] > 0].idxmax() == RIGHT["4.5"]
    assert offers.loc["help_pages", "lower"] < 0 < offers.loc["contact_support", "lower"]


# In every form, and never raising


@pytest.mark.parametrize("answer", [20, 20.0, "20", "20 ", "20.0", np.float64(20), np.int64(20), pd.Series([20]), [20],
                                    pd.DataFrame({"estimate": [20.0]}), np.array(20.2)])  # fmt: skip
def test_a_number_is_taken_as_people_write_it(answer):
    assert cx.workshop.check("2.1", answer).right


@pytest.mark.parametrize("answer", [0.611, 61.1, "61 %", "61,1%", "0,61", 61])
def test_a_share_is_taken_as_share_and_as_per_cent(answer):
    assert cx.workshop.check("2.2", answer).right


@pytest.mark.parametrize("answer", ["c", "C", " c) ", "(c)", "'c'"])
def test_a_letter_is_taken_as_people_write_it(answer):
    assert cx.workshop.check("2.6", answer).right


class Hostile:
    """Raises whatever is done with it."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __str__(self):
        raise RuntimeError

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


ODD = [
    0, -1, 1e308, float("nan"), float("inf"), True, "", "x" * 10_000, [], {}, (), set(), [1, [2]], {1: 2}, {"a": "b"},
    (None, None), ("a", "b"), pd.DataFrame(), pd.Series(dtype=float), pd.DataFrame({"a": [1]}), np.zeros((2, 2)),
    pd.NA, object(), Hostile(), len, 3 + 4j, ("S" * 12, 7), [..., 1],
]  # fmt: skip


@pytest.mark.parametrize("key", EXERCISES)
def test_nothing_that_is_answered_raises(key):
    for answer in ODD:
        verdict = cx.workshop.check(key, answer)
        assert verdict.message and "Traceback" not in verdict.message
        assert verdict.right is (key == "4.3" and type(answer) is int and answer == 0)


@pytest.mark.parametrize("key", EXERCISES)
def test_dots_are_not_yet(key):
    for answer in (..., None, "?", "...", "", [], [...], (..., ...), {1: "?"}):
        assert str(cx.workshop.check(key, answer)) == f"○ Not yet ({key}). {NOTHING}"


def test_an_exercise_that_does_not_exist_is_told():
    assert cx.workshop.check("2.11", 1).message.startswith("No exercise is called '2.11'; did you mean '2.1'?")
    assert not cx.workshop.check(2, 1).right
    assert "\r" not in cx.workshop.check("2\r1", 1).message
    assert cx.workshop.check("4.1", "x" * 5000).message.startswith(f"No touchpoint is called '{'x' * 79}…'; did you")


def test_progress_counts_what_is_right_at_last():
    cx.workshop.check("2.1", 20)
    cx.workshop.check("2.2", 0.5)
    progress = cx.workshop.progress(2)
    assert "2.1" in progress.done and "2.2" in progress.open
    cx.workshop.check("2.1", 21)
    assert "2.1" in cx.workshop.progress(2).open
    assert cx.workshop.progress(9).open == ()


def test_no_check_gives_its_answer_away():
    """No remark, not even on every wrong choice, holds a right number, and no choice stands beside its seal."""
    for key, answer, _ in SLIPS:
        said = cx.workshop.check(key, answer).message
        if isinstance(RIGHT[key], float | int) and key != "4.3":
            digits = {f"{RIGHT[key]:.0f}", f"{100 * RIGHT[key]:.0f}"} - {"0", "4", "400", "5", "471", "2000"}
            assert not digits & set(re.findall(r"\d+", said)), (key, said)
        if isinstance(RIGHT[key], str) and len(RIGHT[key]) > 1:
            assert RIGHT[key] not in said or "did you mean" in said
    sealed = (ROOT / "data" / "workshop_choices.toml").read_text(encoding="utf-8")
    assert not re.search(r"^[\"']?[a-d][\"']? *=", sealed, re.MULTILINE)


def test_no_answer_stands_in_the_code_of_the_checks():
    """Literals of the modules that check: no right letter of a choice, no right number, no sorted scene."""
    for module in (measure_checks, leaving_checks, score_checks):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        values = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not values & {0.2317, 0.4230, 0.252, 0.238, "technician", "purchase", REASONS_STRICT, REASONS_WIDE}


# The data


def test_the_scenes_are_what_they_should_be():
    scenes = full("workshop_scenes.csv")
    assert len(scenes) >= 40 and scenes["scene"].is_unique and scenes["why"].is_unique
    assert not scenes.isna().any().any()
    allowed = {"scope": (S, B), "stage": scene_checks.STAGES, "department": scene_checks.DEPARTMENTS,
               "initiative": scene_checks.INITIATIVES, "disputed": ("yes", "no")}  # fmt: skip
    for column, values in allowed.items():
        assert set(scenes[column]) == set(values), column
    assert 6 <= (scenes["disputed"] == "yes").sum() <= 15
    assert list(scenes["number"]) == list(range(1, len(scenes) + 1))
    for aspect, (_, first, last, choices) in scene_checks.ASPECTS.items():
        assert set(scenes.set_index("number").loc[first:last, aspect]) == set(choices), aspect
    pairs = scenes.set_index("number")["scope"]
    assert all(pairs[a] != pairs[b] for a, b in scene_checks.PAIRS)


def test_a_disputed_scene_may_be_sorted_either_way():
    for choice in (S, B):
        assert cx.workshop.check("1.1", sorted_as("scope", s9=choice)).right


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'number,"scene\n1'])
def test_own_rows_that_are_no_csv_are_told(tmp_path, monkeypatch, content):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "workshop_scenes.csv").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(cx.CxError) as caught:
        cx.workshop.scenes()
    (fault,) = caught.value.faults
    assert fault.startswith(f"{Path('data', 'workshop_scenes.csv')}: cannot be read as CSV: ")
    assert fault.endswith("; take it away, or copy it anew")


def test_own_rows_beside_the_notebook_have_their_own_answers(tmp_path, monkeypatch):
    """A facilitator's twenty rows: the checks compute from them."""
    (tmp_path / "data").mkdir()
    own = full("workshop_twenty.csv")
    own["recommend"] = 10
    own.to_csv(tmp_path / "data" / "workshop_twenty.csv", index=False)
    monkeypatch.chdir(tmp_path)
    assert cx.workshop.check("2.1", 100).right
    own.drop(columns="effort").to_csv(tmp_path / "data" / "workshop_twenty.csv", index=False)
    with pytest.raises(cx.CxError, match="no column 'effort'"):
        cx.workshop.twenty()


def test_the_memo_is_three_sentences_from_the_choices():
    memo = cx.workshop.memo("contact_support", 80, "sure")
    assert len(re.findall(r"[a-z]\.(?: |$)", memo)) == 3
    row = cx.workshop.offers().loc["contact_support"]
    assert "We spend 60 of 80 thousand a year on contact support" in memo and "keep 20 in hand" in memo
    assert f"{row['gain']:.1f} NPS points more (95% interval {row['lower']:.1f} to {row['upper']:.1f})" in memo
    assert "holds 0, so we try it" in cx.workshop.memo("help_pages", 10, "unsure")
    # A column where a name or a word is asked for: it has no truth of its own, and is no key.
    column = pd.Series(["app", "price"])
    assert "' is not on offer; did you mean '" in cx.workshop.memo(column, 80, "sure")
    assert cx.workshop.memo("contact_support", 80, column).endswith("The evidence is 'sure' or 'unsure'.")
    assert cx.workshop.memo() == "The memo is not complete yet. Still to be chosen: touchpoint, budget and evidence."


def test_every_public_name_is_used_in_a_notebook_or_the_guide():
    folder = ROOT / "notebooks" / "workshop"
    cells = [cell for path in folder.glob("*.ipynb") for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    text = "\n".join("".join(cell["source"]) for cell in cells) + (folder / "README.md").read_text(encoding="utf-8")
    unused = [name for name in cx.workshop.__all__ if f"cx.workshop.{name}" not in text]
    assert unused == ["Verdict", "gains", "scenes"]


def test_the_guide_speaks_of_every_exercise():
    guide = (ROOT / "notebooks" / "workshop" / "README.md").read_text(encoding="utf-8")
    assert [key for key in EXERCISES if not re.search(rf"\b{re.escape(key)}\b", guide)] == []
