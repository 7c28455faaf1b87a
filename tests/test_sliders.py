"""Sliders where somebody can move them, a table where nobody can. Authority: what is displayed in either case."""

import pytest

from cxlib import sliders


@pytest.fixture
def displayed(monkeypatch):
    shown = []
    monkeypatch.setattr(sliders, "display", shown.append)
    return shown


def worth(margin=20.0, months=24):
    return f"{margin} over {months}"


def test_a_report_shows_the_table_at_the_defaults_and_no_widget(displayed, monkeypatch):
    monkeypatch.delenv(sliders.LIVE, raising=False)
    sliders.explore(worth, margin=(0.0, 100.0, 1.0), months=(1, 60, 1))
    assert displayed == ["20.0 over 24"]
    sliders.explore(lambda: None)
    assert len(displayed) == 1


def test_jupyterlab_gets_a_slider_for_each_argument(displayed, monkeypatch):
    import ipywidgets

    given = {}
    monkeypatch.setenv(sliders.LIVE, "05-nps-to-retention.ipynb")
    monkeypatch.setattr(ipywidgets, "interact", lambda shown, **widgets: given.update(widgets))
    sliders.explore(worth, margin=(0.0, 10.0, 1.0), months=(1, 60, 1))
    assert displayed == []
    assert isinstance(given["months"], ipywidgets.IntSlider) and given["months"].value == 24
    margin = given["margin"]
    assert isinstance(margin, ipywidgets.FloatSlider)
    assert (margin.min, margin.max, margin.value) == (0.0, 20.0, 20.0)
