"""Samples, halo, votes, headlines, boards, pre-flight and the figures of the workshop."""

import platform
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import cxlib as cx
from cxlib import boards, classroom, lessons, preflight, workshop_figures
from cxlib.forest import PUBLISHED, SERVICE
from cxlib.lessons import full


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


# Samples


def test_the_line_is_the_nps_of_the_example_and_intervals_are_the_kits():
    """Authority: `nps` of the answers, and of one sample drawn again."""
    found = classroom.sampled(30, 2)
    assert found["true"].iloc[0] == pytest.approx(cx.nps(lessons.rated())["estimate"].item())
    score = lessons.rated()["recommend"].sort_values()
    u = np.where(score >= 9, 1, np.where(score >= 7, 0, -1))
    first = np.random.default_rng([2, 30]).choice(u, size=(classroom.SAMPLES, 30))[0]
    own = cx.nps(pd.DataFrame({"recommend": pd.Series(first).map({1: 10, 0: 8, -1: 3})}))
    assert found.iloc[0][["estimate", "lower", "upper"]].tolist() == pytest.approx(
        own[["estimate", "lower", "upper"]].iloc[0].tolist()
    )


def test_intervals_hold_the_truth_in_the_long_run():
    """Nominal 95 %: over 30 draws of 20 samples, between 92 and 98 of 100, at two sizes."""
    for size in (20, 200):
        held = np.mean([classroom.sampled(size, draw)["holds"].mean() for draw in range(1, 31)])
        assert 0.92 <= held <= 0.98


def test_larger_samples_have_narrower_intervals():
    """Four times as many customers, half the width."""
    widths = [float((s["upper"] - s["lower"]).mean()) for s in (classroom.sampled(50, 1), classroom.sampled(200, 1))]
    assert widths[0] / widths[1] == pytest.approx(2, abs=0.15)


def test_samples_are_drawn_with_misses_marked():
    found = classroom.sampled(20, 1)
    ax = workshop_figures.samples(found)
    markers = [line for line in ax.lines if line.get_marker() in ("o", "X")]
    assert [line.get_marker() == "o" for line in markers] == found["holds"].tolist()
    assert [line.get_color() for line in markers] == [SERVICE if held else PUBLISHED for held in found["holds"]]
    assert ax.get_title(loc="left") == f"{found['holds'].sum()} of 20 intervals hold it"
    with pytest.raises(cx.CxError, match="size must be 5 or more, not 3"):
        cx.workshop.samples(3)


# Halo


def test_what_does_nothing_gains_correlation_with_halo_and_less_share():
    """Known truth: wallpaper has no effect. Without halo its correlation is noise; importance is misled less."""
    none, strong = classroom.under_halo(0.0), classroom.under_halo(1.0)
    assert abs(none.loc["wallpaper", "correlation"]) < 0.06 and none.loc["wallpaper", "share"] < 0.01
    assert strong.loc["wallpaper", "correlation"] > 0.4
    assert strong.loc["wallpaper", "share"] < 0.25
    rising = [classroom.under_halo(h).loc["wallpaper", "correlation"] for h in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert rising == sorted(rising)
    assert strong["share"].sum() == pytest.approx(1)


def test_both_views_are_drawn_of_each_touchpoint():
    table = classroom.under_halo(0.5)
    ax, said = cx.workshop.halo_world(0.5)
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert dots == pytest.approx(table.to_numpy().ravel().tolist())
    assert "Wallpaper does nothing at all here" in said
    assert "wallpaper" in cx.plots.alt(ax)


# Votes and reasons


def test_votes_are_counted_by_scene():
    """Authority: by hand; a scene left open is nobody's vote."""
    votes = cx.workshop.votes("SBBBBBBBBBBB\nSSBBBBBBBBBB\n\nBS?BBBBBBBBB\nbs sbbbbbbbbb\n")
    assert votes["share"].tolist()[:3] == [0.5, 0.75, pytest.approx(1 / 3)]
    assert votes["voters"].tolist() == [4] * 12
    assert votes.loc[votes["disputed"] == "yes", "number"].tolist() == [9]
    ax = workshop_figures.votes_figure(votes)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(votes["share"].tolist())
    assert [bar.get_facecolor()[:3] == (1, 1, 1) for bar in ax.patches] == (votes["disputed"] == "yes").tolist()


@pytest.mark.parametrize("lines", ["SB", "SBBBBBBBBBBX", "SBBBBBBBBBBBB"])
def test_a_line_that_is_no_vote_is_told(lines):
    with pytest.raises(cx.CxError, match="a line must hold 12 letters, S or B, not"):
        cx.workshop.votes(lines)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (12, "votes takes lines of letters, one for each person, not 12"),
        ("\n \n", "there must be one line of 12 letters at least, there is none; write S or B for each scene"),
        ([3, None], "a line must hold 12 letters, S or B, not '3'"),
        ("x" * 5000, f"a line must hold 12 letters, S or B, not '{'X' * 79}…'"),
    ],
)
def test_what_is_no_vote_at_all_is_told_shortly(lines, told):
    with pytest.raises(cx.CxError) as caught:
        cx.workshop.votes(lines)
    assert caught.value.faults[0] == told


def test_ones_own_vote_is_twelve_letters():
    mine = dict.fromkeys(range(1, 13), "service") | {2: "experience beyond service", 3: "?"}
    assert cx.workshop.vote(mine) == "SB?SSSSSSSSS"
    assert cx.workshop.votes(cx.workshop.vote(mine))["share"].iloc[0] == 1


def test_the_headline_moves_with_the_rule():
    """Authority: counting the two codings in the file: 2 and 5 of 12."""
    shares = cx.workshop.headline("SPOOOSOPOOPO", "SPSOOSSPSOPO")
    service = shares[(shares["term"] == "service") & (shares["measure"] == "share")].set_index("rule")["estimate"]
    told = full("workshop_reasons.csv")
    assert service.to_dict() == {rule: (told[rule] == "service").mean() for rule in ("strict", "wide")}
    assert service.tolist() == pytest.approx([2 / 12, 5 / 12])
    assert cx.workshop.headline("????????????", "SPSOOSSPSOPO") is None


# Touchpoints


def test_lines_become_the_table_of_touchpoints(tmp_path, monkeypatch):
    """The kit reads what was saved: the columns are those of its own table."""
    table = cx.workshop.touchpoints("bill | Use | finance | no\n\nhotline | support | customer service | YES\nx | use")
    assert table.to_numpy().tolist()[:2] == [
        ["bill", "use", "finance", False], ["hotline", "support", "customer service", True]
    ]  # fmt: skip
    assert len(cx.workshop.touchpoints(...)) == len(cx.workshop.touchpoints("\n...\n")) == 0
    monkeypatch.chdir(tmp_path)
    assert cx.workshop.save(table[:2]) == f"Saved: {tmp_path / 'touchpoints.csv'}"
    customers = pd.DataFrame({"customer_id": ["a"], "signup_date": ["2025-01-01"], "end_date": [None]})
    read = cx.load({"customers": customers, "touchpoints": pd.read_csv(tmp_path / "touchpoints.csv")})
    assert read.touchpoints.to_pandas()["is_service"].tolist() == [False, True]


def test_a_folder_that_may_not_be_written_sends_the_table_home(tmp_path, monkeypatch):
    plain = Path.write_bytes

    def refused(self, content):
        if "home" not in str(self):
            raise PermissionError(13, "no")
        return plain(self, content)

    monkeypatch.setattr(Path, "write_bytes", refused)
    (tmp_path / "home").mkdir()
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path / "home")
    assert cx.workshop.save(pd.DataFrame()) == f"Saved: {tmp_path / 'home' / 'touchpoints.csv'}"
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path / "nowhere")
    assert cx.workshop.save(pd.DataFrame()).startswith("Nothing saved")


def test_the_way_is_drawn_by_stage_with_service_filled():
    table = cx.workshop.touchpoints("bill | use | finance | no\nhotline | support | customer service | yes")
    ax = workshop_figures.journey_figure(table)
    words = [text.get_text() for text in ax.texts]
    assert words[:5] == ["Use", "bill", "finance", "Support", "hotline"]
    filled = {text.get_text() for text in ax.texts if text.get_bbox_patch() is not None and text.get_color() == "white"}
    assert filled == {"hotline"}
    assert "support: hotline (service)" in cx.plots.alt(ax)


# Widgets


@pytest.fixture
def shell():
    """An IPython shell: without one nothing is displayed."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_a_slider_redraws_figure_and_sentence(shell):
    seen = []

    def draw(faults: int = 30, halo: float = 0.5):
        seen.append((faults, halo))
        ax = plt.subplots()[1]
        return ax, cx.text.Sentence(f"drawn at {faults}")

    sliders = []
    with capture_output() as captured, pytest.MonkeyPatch.context() as patch:
        patch.setattr(boards.widgets, "VBox", lambda made: sliders.extend(made) or boards.widgets.HTML())
        cx.workshop.live(draw, faults=(0, 60), halo=(0.0, 1.0))
        sliders[0].value = 40
        sliders[1].value = 0.75
    assert seen == [(30, 0.5), (40, 0.5), (40, 0.75)]
    assert [slider.description for slider in sliders] == [boards.LABELS["faults"], boards.LABELS["halo"]]
    assert not sliders[0].continuous_update
    pages = [output.data.get("text/html", "") for output in captured.outputs]
    assert any("Product faults per 100 customers and quarter: 30" in page for page in pages)


def test_a_world_that_cannot_be_drawn_is_told(shell):
    def draw(size: int = 20):
        raise cx.CxError("size must be 5 or more, not 3; say more")

    with capture_output() as captured:
        cx.workshop.live(draw, size=(1, 50))
    said = [output.data.get("text/markdown", "") for output in captured.outputs]
    assert "This world cannot be drawn: size must be 5 or more, not 3." in said[-1]


def test_a_board_keeps_what_is_chosen(shell):
    made = []
    with capture_output() as captured, pytest.MonkeyPatch.context() as patch:
        patch.setattr(boards.widgets, "VBox", lambda rows, **_: made.append(rows) or boards.widgets.HTML())
        mine = cx.workshop.sort_scenes("stage")
        made[0][1].value = "discover"
    assert mine == dict.fromkeys(range(13, 21), "?") | {13: "discover"}
    page = captured.outputs[-1].data["text/html"]
    assert page.count("<li") == 8 and "To choose from: discover, buy" in page
    with pytest.raises(cx.CxError, match="no aspect 'scop'; did you mean 'scope'"):
        cx.workshop.sort_scenes("scop")


# Pre-flight


@pytest.mark.parametrize(("system", "name"), [("Windows", "Windows"), ("Darwin", "macOS"), ("Linux", "Linux")])
def test_a_laptop_that_has_all_is_ready(monkeypatch, system, name):
    monkeypatch.setattr(platform, "system", lambda: system)
    found = cx.workshop.preflight()
    assert str(found).startswith("✔ This laptop is ready.") or "Close other programs" in str(found)
    assert f"✔ System: {name}" in str(found)
    assert [check.name for check in found.checks] == [
        "System",
        "Python",
        "Packages",
        "Data",
        "Figures and speed",
        "Folder",
    ]
    assert "✔ Data" in found._repr_html_()
    assert plt.get_fignums() == []


def test_what_is_missing_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    monkeypatch.setattr(preflight, "PACKAGES", ("numpy", "nosuchpackage"))
    monkeypatch.setattr(platform, "system", lambda: "Plan9")
    found = {check.name: check for check in cx.workshop.preflight().checks}
    assert found["Python"].remedy == "Install Python 3.11 or newer, then the kit anew"
    assert (
        found["Packages"].found == "nosuchpackage missing"
        and "-m pip install nosuchpackage" in found["Packages"].remedy
    )
    assert "tell the facilitator" in found["System"].remedy


def test_a_laptop_without_data_is_told_so_and_nothing_is_raised(monkeypatch):
    def broken():
        raise OSError("disk full")

    monkeypatch.setattr(lessons, "leavers", broken)
    found = cx.workshop.preflight()
    assert not found.ready
    assert "○ Data: OSError: disk full. Show this line to the facilitator" in str(found)
    assert str(found).startswith("○ This laptop is not ready yet.")
