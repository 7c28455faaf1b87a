"""What is quoted: sums of published figures, and comments, in sentences. Verdicts and claims: test_text.py."""

import pytest

from cxlib import text
from cxlib.published import claim_consistency, published_claims
from cxlib.schema import results


def row(term, measure, value, n, half=0.03, unit="share", **other):
    return {"term": term, "measure": measure, "estimate": value, "lower": value - half, "upper": value + half,
            "level": 0.95, "n": n, "unit": unit, **other}  # fmt: skip


def heard(on_service=412):
    return results([
        row("all comments", "negative", 0.41, 800), row("service", "share", 0.52, 800),
        row("service", "negative", 0.44, on_service), row("price", "share", 0.1, 800), row("app", "share", 0.2, 800),
        row("food", "share", 0.05, 800), row("store", "share", 0.04, 800), row("no theme", "share", 0.3, 800),
    ])  # fmt: skip


def test_what_adds_up_is_told_with_what_is_left_unnamed():
    told = text.adds_up(claim_consistency(), published_claims())
    assert told == (
        'Parts of "401 people responsible for customer experience answered": 401 of 401, adds up; parts of "401 people '
        'responsible for customer experience answered": 100% of 100%, adds up; parts of "42% of customer experience '
        'professionals sit elsewhere": 23% of 42%, leaves 19% unnamed.'
    )


def test_comments_are_told_with_the_interval_n_and_the_tone():
    assert text.comment_themes(heard()) == (
        "52% (95% interval 49% to 55%) of the comments are about service; the most frequent others are 20% app, 10% "
        "price and 5% food; n = 800 comments, each of which may be about several. Of the comments on service, 44% (41% "
        "to 47%) are negative."
    )


def test_the_tone_of_few_comments_is_not_told():
    assert text.comment_themes(heard(on_service=9)).endswith("each of which may be about several.")


def test_agreement_is_told_for_themes_and_tones():
    found = results([
        row("service", "precision", 0.9, 40), row("service", "kappa", 0.81, 100, unit="kappa"),
        row("positive", "kappa", 0.42, 100, unit="kappa"),
    ])  # fmt: skip
    assert text.comment_agreement(found) == (
        "Agreement of the lexicon with the labels (kappa: 0 as by chance, 1 always): service 0.81 (95% interval 0.78 "
        "to 0.84); positive tone 0.42 (0.39 to 0.45)."
    )


@pytest.mark.parametrize("sentence", [text.comment_themes, text.comment_agreement, lambda r: text.adds_up(r, None)])
def test_what_a_study_does_not_feed_gives_no_sentence(sentence):
    assert sentence(None) is None
