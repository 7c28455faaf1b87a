"""Study files: what they yield, and every fault in the words of the file, all at once."""
# ruff: noqa: E501  (a fault is one line, however long)

import os
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from cxlib import engine, files, schema
from cxlib.errors import CxError
from cxlib.feeds import describe_study, lacks
from cxlib.simulation import write_simulation
from cxlib.study import STUDIES, data_path, find_study, read_study, study_answers, study_frame
from cxlib.study_file import key_path

ROWS = """id,Plan,Fee,Support,Score,Staff,Price,Gone,w
001,None,10,Yes,9,5,4,Yes,1
002,Gold,89.4,No,8,4,,No,1
003,Gold,90,No,0,,1,Yes,2
004,Basic,12.5,Yes,10,5,5,No,1
"""
STUDY = """
title = "Acme"
[frame]
file = "rows.csv"
customer = "id"
[columns.Fee]
name = "fee_band"
bands = {edges = [89.4], labels = ["low", "high"]}
[columns.Score]
name = "recommend"
[attrition]
outcome = "Gone"
left_value = "Yes"
adjust = ["Plan"]
[attrition.causes.service.Support]
No = "Yes"
[attrition.causes.price.fee_band]
high = "low"
[experience]
drivers = ["Staff", "Price"]
missing = "not_met"
groups = {service = ["Staff"], price = ["Price"]}
weights = "w"
"""


@pytest.fixture
def acme(tmp_path):
    """A folder with the study and its data; call it with replacements in either to get the path of the study."""

    def write(*changes: tuple[str, str], rows: str | bytes = ROWS, study: str = STUDY, file: str = "rows.csv") -> Path:
        for old, new in changes:
            assert old in study, old
            study = study.replace(old, new)
        (tmp_path / file).write_bytes(rows if isinstance(rows, bytes) else rows.encode())
        (tmp_path / "acme.toml").write_text(study, encoding="utf-8")
        return tmp_path / "acme.toml"

    return write


def faults(path) -> list[str]:
    with pytest.raises(CxError) as error:
        read_study(path)
    return list(error.value.faults)


def test_a_frame_study_yields_its_columns_in_the_analysts_names(acme):
    study = read_study(acme())
    frame = study_frame(study).to_pandas().set_index("id")
    assert list(frame.index) == ["001", "002", "003", "004"]  # ids stay texts
    assert frame["Plan"].tolist() == ["None", "Gold", "Gold", "Basic"]  # "None" is a word
    assert frame["fee_band"].tolist() == ["low", "low", "high", "low"]
    assert frame["Fee"].tolist() == [10, 89.4, 90, 12.5]  # the number stays beside its band
    assert frame["recommend"].tolist() == [9, 8, 0, 10]
    assert "Score" not in frame
    assert frame["Gone"].tolist() == [True, False, True, False]
    assert frame["Price"].isna().tolist() == [False, True, False, False]
    kinds = {name: study.frame.kind[name] for name in ("id", "Plan", "fee_band", "recommend", "Gone", "Staff")}
    assert kinds == dict(zip(kinds, ["factor", "factor", "factor", "number", "factor", "number"], strict=True))


def test_a_study_carries_what_the_notebooks_ask_for(acme):
    study = read_study(acme())
    assert (study.title, study.path.name) == ("Acme", "acme.toml")
    assert [path.name for path in study.files] == ["acme.toml", "rows.csv"]
    assert study.tables is None
    assert study.landmark is None
    assert study.attrition.causes == {"service": {"Support": {"No": "Yes"}}, "price": {"fee_band": {"high": "low"}}}
    assert (study.attrition.outcome, study.attrition.adjust, study.attrition.customer) == ("Gone", ["Plan"], "id")
    assert (study.experience.score, study.experience.scale, study.experience.missing) == (
        "recommend",
        [0, 10],
        "not_met",
    )
    assert (study.experience.drivers, study.experience.weights) == (["Staff", "Price"], "w")
    assert study.privacy.minimum_group == 10
    assert study.reasons is None


SEMICOLONS = "id;Plan;Fee;Support;Score;Staff;Price;Gone;w\n1;Größe;1.010,5;Yes;9;5;4;Yes;1\n2;b;89,4;No;8;4;;No;0,5\n"


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "utf-8", "utf-8-sig"])
def test_delimiter_decimal_and_encoding_are_honoured(acme, encoding):
    spelling = f'file = "rows.csv"\ndelimiter = ";"\ndecimal = ","\nencoding = "{encoding}"'
    study = read_study(acme(('file = "rows.csv"', spelling), rows=SEMICOLONS.encode(encoding)))
    frame = study.frame.to_pandas()
    assert frame["Plan"].tolist() == ["Größe", "b"]
    assert frame["Fee"].tolist() == [1010.5, 89.4]
    assert frame["w"].tolist() == [1, 0.5]


def test_a_point_under_a_decimal_comma_is_no_number(acme):
    spelling = 'file = "rows.csv"\ndelimiter = ";"\ndecimal = ","'
    rows = SEMICOLONS.replace("89,4", "89.4")
    assert faults(acme(('file = "rows.csv"', spelling), rows=rows)) == [
        "acme.toml: columns.Fee: the column must hold numbers, 1 value is none, such as '89.4'; name it in missing or "
        "recode it",
    ]


def test_words_that_mean_no_answer_are_gone_before_numbers_are_read(acme):
    rows = ROWS.replace("001,None,10,Yes,9", "001,None,10,Yes,Blank").replace("No,8,4", "No,11,4")
    study = read_study(acme(('name = "recommend"', 'name = "recommend"\nmissing = [11, "Blank"]'), rows=rows))
    scores = study.frame.to_pandas()["recommend"]
    assert scores.isna().tolist() == [True, True, False, False]
    assert scores.dropna().tolist() == [0, 10]


def test_recoded_values_are_read_like_any_others(acme):
    recode = '[columns.Staff]\nrecode = {"5" = "1", 4 = 0}\n[columns.Plan]\nrecode = {None = "no plan"}\n[attrition]'
    frame = read_study(acme(("[attrition]", recode))).frame.to_pandas()
    assert frame["Staff"].tolist()[:2] == [1, 0]
    assert frame["Plan"].tolist()[0] == "no plan"


@pytest.mark.parametrize(
    ("value", "number"), [("007", False), ("0.7", True), ("-7", True), ("1e3", True), ("7 a", False)]
)
def test_a_column_is_a_number_if_every_value_reads_as_one_and_none_is_a_code(acme, value, number):
    study = read_study(acme(rows=ROWS.replace("None", value).replace("Gold", "1").replace("Basic", "2")))
    assert (study.frame.kind["Plan"] == engine.NUMBER) == number


def test_a_cause_is_a_factor_even_if_written_in_numbers(acme):
    rows = ROWS.replace(",Yes,9", ",1,9").replace(",Yes,10", ",1,10").replace(",No,8", ",0,8").replace(",No,0", ",0,0")
    study = read_study(acme(('No = "Yes"', "0 = 1"), rows=rows))
    assert study.attrition.causes["service"] == {"Support": {"0": "1"}}
    assert study.frame.to_pandas()["Support"].tolist() == ["1", "0", "0", "1"]


@pytest.mark.parametrize("end", [["Yes", "No", "Yes", "No"], [True, False, True, False], [1, 0, 1, 0], [1.0, 0, 1, 0]])
def test_parquet_keeps_its_own_types(acme, tmp_path, end):
    frame = pd.read_csv(acme().parent / "rows.csv", dtype={"id": str}, keep_default_na=False, na_values=[""])
    frame["Gone"] = end
    frame.to_parquet(tmp_path / "rows.parquet")
    left = {str: '"Yes"', bool: "true", int: "1", float: "1"}[type(end[0])]
    study = read_study(acme(("rows.csv", "rows.parquet"), ('left_value = "Yes"', f"left_value = {left}")))
    assert study.frame.to_pandas()["Gone"].tolist() == [True, False, True, False]
    assert study.frame.to_pandas()["Staff"].dropna().tolist() == [5, 4, 5]


def test_joined_files_add_their_columns_and_leave_those_that_are_there(acme, tmp_path):
    (tmp_path / "more.csv").write_text("id,Plan,Region\n003,x,South\n001,x,North\n009,x,West\n")
    study = read_study(acme(('customer = "id"', 'customer = "id"\njoins = [{file = "more.csv", on = "id"}]')))
    frame = study.frame.to_pandas().sort_values("id")
    assert frame["Region"].fillna("").tolist() == ["North", "", "South", ""]
    assert frame["Plan"].tolist() == ["None", "Gold", "Gold", "Basic"]
    assert [path.name for path in study.files] == ["acme.toml", "rows.csv", "more.csv"]


def test_rows_that_are_not_kept_are_gone(acme):
    keep = '[frame.keep]\nPlan = ["Gold", "Basic"]\nSupport = ["No", "Yes"]\n[columns.Fee]'
    frame = read_study(acme(("[columns.Fee]", keep))).frame.to_pandas()
    assert frame["id"].tolist() == ["002", "003", "004"]


def test_only_column_takes_any_column_of_the_study(acme):
    study = read_study(acme())
    assert engine.rows(study_frame(study, only_column="fee_band", only_value="high")) == 1
    with pytest.raises(CxError, match=r"acme.toml: as_of must be empty, a \[frame\] study has no dates; leave it out"):
        study_frame(study, as_of="2026-01-01")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("[frame]", "[frame]\ndelimitr = ';'")], "frame: no key 'delimitr'; did you mean 'delimiter'? There are: 'file', "
         "'database', 'table', 'delimiter', 'decimal', 'encoding', 'date_format', 'header_rows', 'skip_rows', 'footer_rows', 'missing', 'joins' and 2 more"),
        ([("[experience]", "[experiense]")], "no key 'experiense'; did you mean 'experience'? There are: 'title', "
         "'engine', 'timezone', 'tables', 'landmark', 'frame', 'columns', 'attrition', 'experience', 'reasons', 'comments', 'privacy'"),
        ([("edges =", "edge =")], "columns.Fee.bands.edges must be given; add it"),
        ([("edges = [89.4]", 'edges = "x"')], "columns.Fee.bands.edges must be a list, not 'x'"),
        ([("edges = [89.4]", "edges = [89.4, 1]")], "columns.Fee.bands: edges must be one or more rising numbers, not "
         "[89.4, 1.0]"),
        ([('title = "Acme"', "title = 5")], "title must be a text, not '5'"),
        ([('missing = "not_met"', 'missing = "none"')], "experience.missing must be 'not_met' or 'drop', not 'none'"),
        ([('weights = "w"', "scale = [1, 5]")], "experience.scale must have 10 or 11 points, such as [0, 10], not [1, 5]"),
        ([('weights = "w"', "low_high = [6, 6]")], "experience.low_high must be the highest low rating, then the lowest "
         "high, not [6.0, 6.0]"),
        ([('weights = "w"', "low_high = 6")], "experience.low_high must be a list, not '6'"),
        ([('weights = "w"', 'satisfaction = "Staf"')], "experience.satisfaction: no column 'Staf'; did you mean 'Staff'? There are: "),
        ([('service = ["Staff"]', 'service = ["Stuff"]')], "experience.groups.service: no driver 'Stuff'; did you mean "
         "'Staff'? There are: 'Staff', 'Price'"),
        ([('"Price"]\nmissing', '"Price", "Staff"]\nmissing')], "experience.drivers: 'Staff' must be named once"),
        ([('price = ["Price"]', 'price = ["Staff"]')], "experience.groups: driver 'Staff' must be in one group, it is in "
         "several"),
        ([("[frame]", 'timezone = "Europe/Berln"\n[frame]')], "timezone: no time zone 'Europe/Berln'; did you mean "
         "'Europe/Berlin'? There are: "),
        ([("[frame]", '[frame]\nencoding = "cp-12"')], "frame.encoding: no encoding 'cp-12'; did you mean 'cp1252'? There "
         "are: 'utf-8', 'utf-16', 'cp1252', 'latin-1'"),
        ([("[frame]", "[frame]\ndate_format = \"%d'); DROP\"")], "frame.date_format must be written like %d.%m.%Y, not "
         "'%d'); DROP'"),
        ([("[frame]", "[frame]\ndecimal = ','\ndelimiter = ','")], "frame: delimiter and decimal must differ, both are ','"),
        ([("[frame]", "[privacy]\nminimum_group = 0\n[frame]")], "privacy.minimum_group: should be greater than or equal "
         "to 1, not '0'"),
        ([("[columns.Fee]", "[landmark]\n[columns.Fee]")], "landmark: belongs to [tables]; a [frame] has its outcome "
         "already"),
        ([("rows.csv", "row.csv")], "no file 'row.csv' in "),
        ([("rows.csv", "rows.xlsx")], "no file 'rows.xlsx' in "),
        ([('customer = "id"', 'customer = "ident"')], "attrition.customer: no column 'ident'; did you mean 'id'? There are: "),
        ([('adjust = ["Plan"]', 'adjust = ["plan"]')], "attrition.adjust: no column 'plan'; did you mean 'Plan'? There "
         "are: "),
        ([('"Price"]\nmissing', '"Pric"]\nmissing'), ('price = ["Price"]', 'price = ["Pric"]')], "experience.drivers: no "
         "column 'Pric'; did you mean 'Price'? There are: "),
        ([('No = "Yes"', 'Noo = "Yes"')], "attrition.causes.service.Support: no level 'Noo'; did you mean 'No'? There are: "
         "'No', 'Yes'"),
        ([('No = "Yes"', 'No = "Ja"')], "attrition.causes.service.Support: no level 'Ja'; There are: 'No', 'Yes'"),
        ([('No = "Yes"', 'No = "No"')], "attrition.causes.service.Support: 'No' is set to itself; name another level"),
        ([('No = "Yes"', "")], "attrition.causes.service.Support: must name a level and what it would be set to, such as "
         'failed = "good"'),
        ([('left_value = "Yes"', 'left_value = "Ja"')], "attrition.left_value: no value 'Ja'; There are: 'No', 'Yes'"),
        ([('left_value = "Yes"', "")], "attrition.outcome: 'Gone' must be true or false, it holds 'No', 'Yes'; name "
         "left_value"),
        ([('name = "recommend"', 'name = "recommend"\nmissing = [11]')], "columns.Score.missing: no value '11'; There are: "
         "'0', '10', '8', '9'"),
        ([("[columns.Score]", "[columns.Scor]"), ("[experience]", '[experience]\nscore = "Score"')], "columns: no column "
         "'Scor'; did you mean 'Score'? There are: "),
        ([('name = "recommend"', 'name = "Staff"'), ("[experience]", '[experience]\nscore = "Score"')], "columns.Score.name "
         "must be new, the frame has a column 'Staff'"),
        ([("[columns.Fee]", "[frame.keep]\nPlan = ['Silver']\n[columns.Fee]")], "frame.keep.Plan: no value 'Silver'; There "
         "are: 'Basic', 'Gold', 'None'"),
        ([("[experience]", '[reasons]\ncolumn = "Plan"\n[reasons.rules.strict]\nprice = ["Golf"]\n[experience]')],
         "reasons.rules.strict.price: no reason 'Golf'; did you mean 'Gold'? There are: 'Basic', 'Gold', 'None'"),
    ],
)  # fmt: skip
def test_a_fault_names_the_key_and_the_nearest_valid_name(acme, changes, expected):
    told = faults(acme(*changes))
    assert told[0].startswith("acme.toml: " + expected)
    assert told[0] == "acme.toml: " + expected or expected.endswith((": ", "in "))
    assert all("\n" not in fault for fault in told)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (ROWS.splitlines()[0], "frame: must hold at least one row, it is empty; check the file and [frame.keep]"),
        ("", "rows.csv: the first line must name the columns, it is empty"),
        (ROWS.replace("Score", "Plan"), "rows.csv: two columns are named 'Plan'; give each its own name"),
        (ROWS.replace("89.4,No", "89.4"), "rows.csv, line 3: every row must have 9 columns, this one has 8; add the "
         "cells it lacks"),
        (ROWS.replace("Gold", '"Gold'), "rows.csv, line 3: a quote (\") is opened and never closed; close or double it"),
        (ROWS.replace("Gold", "Größe").encode("cp1252"), "rows.csv, line 3: the text is not UTF-8; declare its encoding in "
         'the study, such as encoding = "cp1252"'),
        (ROWS.replace(",", ";"), 'rows.csv: the columns seem to be parted by ";"; declare delimiter = ";"'),
        (ROWS.replace("002", "001"), "frame.customer: 'id' must be unique, 1 of 4 rows repeat one; keep one row a customer"),
        (ROWS.replace("002", ""), "frame.customer: 1 row has no 'id'; leave them out or add it"),
        (ROWS.replace("No,1", "Yes,1"), "attrition.outcome: 'Gone' must have two values, everybody left in all 4 rows"),
        (ROWS.replace("Yes,2", ",2"), "attrition.outcome: 1 row has no outcome; leave them out with [frame.keep]"),
        (ROWS.replace("No,8", ",8"), "attrition.causes.service.Support: 1 row has no value; recode or leave them out with "
         "[frame.keep]"),
        (ROWS.replace("No,8", "Yes,8").replace("No,0", "Yes,0"), "attrition.causes.service.Support: no level 'No'; There "
         "are: 'Yes'"),
        (ROWS.replace("Yes,9", "Yes,11").replace("No,0", "No,-1"), "experience.score: 'recommend' must lie on the scale 0 "
         "to 10, 2 rows hold '-1', '11'; name values that mean no answer in missing, or declare the scale"),
        (ROWS.replace("Yes,9", "Yes,Blank"), "columns.Score: the column must hold numbers, 1 value is none, such as "
         "'Blank'; name it in missing or recode it"),
        (ROWS.replace("9,5,4", "9,N/A,4"), "columns.Staff: the column must hold numbers, 1 value is none, such as 'N/A'; "
         "name it in missing or recode it"),
        (ROWS.replace("Yes,2", "Yes,-2"), "experience.weights: 'w' must be 0 or more, its lowest is -2"),
        (ROWS.replace("Yes,2", "Yes,much"), "columns.w: the column must hold numbers, 1 value is none, such as 'much'; name "
         "it in missing or recode it"),
        (ROWS.replace("Yes,2", "Yes,inf"), "columns.w: the column must hold numbers, 1 value is none, such as 'inf'; name "
         "it in missing or recode it"),
    ],
)  # fmt: skip
def test_a_fault_in_the_data_says_what_was_found(acme, rows, expected):
    told = faults(acme(rows=rows))
    assert told[0] == "acme.toml: " + expected


def test_all_faults_are_told_at_once(acme):
    changes = [
        ('No = "Yes"', 'Noo = "Yes"'),
        ('adjust = ["Plan"]', 'adjust = ["Plam"]'),
        ('left_value = "Yes"', 'left_value = "Y"'),
    ]
    told = faults(acme(*changes, rows=ROWS.replace("Yes,9", "Yes,12").replace("002", "001")))
    assert [fault.split(": ")[1] for fault in told] == [
        "attrition.adjust", "attrition.left_value", "attrition.causes.service.Support", "frame.customer", "experience.score",
    ]  # fmt: skip


def test_all_faults_of_the_words_are_told_at_once(acme):
    told = faults(
        acme(("[frame]", "[frame]\nfoo = 1"), ('title = "Acme"', "title = 1"), ("edges = [89.4]", "edges = 1"))
    )
    assert len(told) == 3


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("id,Region\n001,x\n001,y\n", "frame.joins[1]: 'id' must be unique in more.csv, 1 of its 2 rows repeat one; join a "
         "file with one row each"),
        ("id,Region\n1,x\n", "frame.joins[1]: no row of the frame finds a partner in more.csv by 'id'"),
        ("ID,Region\n001,x\n", "frame.joins[1].on, more.csv: no column 'id'; did you mean 'ID'? There are: 'ID', 'Region'"),
    ],
)  # fmt: skip
def test_a_join_must_find_one_partner(acme, tmp_path, more, expected):
    (tmp_path / "more.csv").write_text(more)
    join = ('customer = "id"', 'customer = "id"\njoins = [{file = "more.csv", on = "id"}]')
    assert faults(acme(join))[0] == "acme.toml: " + expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"title = ", "acme.toml: not valid TOML: Invalid value (at end of document)"),
        (b"title = \"\xff\"", "acme.toml: a study file must be UTF-8, it is not at byte 9; save it as UTF-8"),
        (b"", "acme.toml: a study must have either [tables] or [frame]; write one of them"),
        (b"x = " + b"[" * 5000 + b"]" * 5000, "acme.toml: not valid TOML: "),
        (b"# " + b"x" * 1_000_001, "acme.toml: a study file must be under 1,000,000 bytes; data belong in files of their own"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_study_is_one_line(tmp_path, content, expected):
    (tmp_path / "acme.toml").write_bytes(content)
    (told,) = faults(tmp_path / "acme.toml")
    assert told.startswith(expected)


def test_a_study_that_is_a_folder_or_nested_too_deeply_is_one_line(tmp_path):
    (tmp_path / "acme.toml").write_bytes(b"x = " + b"{a = " * 5000 + b"1" + b"}" * 5000)
    assert faults(tmp_path / "acme.toml") == ["acme.toml: not valid TOML: nested too deeply"]
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    for name in ("folder.toml", "pipe.toml"):
        assert faults(tmp_path / name) == [f"{name}: a study must be a file, it is a folder or a device; name the file"]


def test_a_study_is_found_by_name_by_path_and_from_any_folder(tmp_path, monkeypatch, acme):
    monkeypatch.chdir(tmp_path)
    assert find_study("example") == STUDIES / "example.toml"
    assert find_study("data/studies/example.toml") == STUDIES / "example.toml"
    assert find_study(acme()) == find_study("acme.toml") == tmp_path / "acme.toml"
    with pytest.raises(
        CxError, match="data/studies: no study 'exampel'; did you mean 'example'? There are: ".replace("?", r"\?")
    ):
        read_study("exampel")
    with pytest.raises(CxError, match=r"no study file 'acne.toml'; did you mean 'acme.toml'\? There are: 'acme.toml'"):
        read_study(tmp_path / "acne.toml")


def test_real_data_are_looked_for_where_the_environment_says(tmp_path, monkeypatch):
    study = STUDIES / "mine.toml"
    monkeypatch.delenv("CX_REAL_DATA", raising=False)
    assert data_path(study, "../real/a.csv") == STUDIES.parent / "real" / "a.csv"
    monkeypatch.setenv("CX_REAL_DATA", str(tmp_path))
    assert data_path(study, "../real/a.csv") == tmp_path / "a.csv"
    assert data_path(study, "../example/a.csv") == STUDIES.parent / "example" / "a.csv"


def test_a_file_that_is_not_there_is_told_with_its_folder_and_the_nearest_name(acme, tmp_path, monkeypatch):
    assert faults(acme(("rows.csv", "row.csv"))) == [
        f"acme.toml: no file 'row.csv' in '{tmp_path}'; did you mean 'rows.csv'?"
    ]
    monkeypatch.setenv("CX_REAL_DATA", str(tmp_path / "downloads"))
    assert faults(acme(("rows.csv", (STUDIES.parent / "real" / "x.csv").as_posix()))) == [
        f"acme.toml: no file 'x.csv' in '{tmp_path / 'downloads'}'; download it there, or name its folder in CX_REAL_DATA"
    ]


def test_a_large_frame_goes_through_a_scratch_folder_and_reads_the_same(acme, monkeypatch):
    path = acme()
    small = read_study(path).frame.to_pandas()
    monkeypatch.setattr(files, "IN_MEMORY", 1)
    pd.testing.assert_frame_equal(read_study(path).frame.to_pandas(), small)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("a", "b"), "a.b"),
        (("columns", "Monthly Charge", "bands"), 'columns."Monthly Charge".bands'),
        (("joins", 0), "joins[1]"),
        (("columns", "x" * 5000, "name"), f'columns."{"x" * 79}…".name'),
    ],
)
def test_keys_are_told_as_toml_writes_them(keys, text):
    assert key_path(*keys) == text


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A folder with simulated tables and a study of them that may be copied."""
    folder = tmp_path_factory.mktemp("simulated")
    truth = write_simulation(folder / "example", customers=300, seed=2)
    shutil.copy(STUDIES / "example.toml", folder / "study.toml")
    return folder, truth


def table_study(simulated, tmp_path, *changes):
    folder, _ = simulated
    text = (folder / "study.toml").read_text().replace("../example", (folder / "example").as_posix())
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (tmp_path / "study.toml").write_text(text)
    return tmp_path / "study.toml"


def test_a_table_study_is_seen_at_its_landmark(simulated, tmp_path):
    study = read_study(table_study(simulated, tmp_path))
    assert study.frame is None
    assert set(study.tables.present) == set(schema.TABLES)
    assert engine.rows(study_frame(study)) == simulated[1].at_risk
    assert engine.rows(study_frame(study, as_of="2026-01-01")) != simulated[1].at_risk
    assert (study.landmark.as_of, study.landmark.lookback_days, study.landmark.horizon_days) == ("latest", 180, 90)
    assert (study.attrition.outcome, study.attrition.customer) == ("left", "customer_id")
    assert {"recommend", *study.experience.drivers} <= set(study_answers(study).at)
    answered = study.tables.surveys.to_pandas()["answered_at"].count()
    assert engine.rows(study_answers(study)) == answered
    assert engine.rows(study_answers(study, as_of="2026-01-01")) < answered


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([("[landmark]", "[landmarks]")], "no key 'landmarks'; did you mean 'landmark'? There are: "),
        ([('as_of = "latest"', 'as_of = "2026-06-01"')], "landmark: as_of + horizon must not lie beyond the last day of the "
         "data; 2026-06-01 + 90 days is 2026-08-30, the data end on 2026-06-30; choose as_of up to 2026-04-01"),
        ([('as_of = "latest"', 'as_of = "2010-06-01"')], "landmark: on 2010-06-01, nobody is at risk within 90 days; choose "
         "another as_of or horizon_days"),
        ([('failed = "good"', 'faild = "good"')], "attrition.causes.service.service_band: no level 'faild'; did you mean "
         "'failed'? There are: 'none', 'good', 'failed'"),
        ([("service_band =", "service_bnd =")], "attrition.causes.service: no column 'service_bnd'; did you mean "
         "'service_band'? There are: "),
        ([('service_band = {failed = "good"}', 'tenure_days = {1 = "2"}')], "attrition.causes.service.tenure_days: a cause "
         "must be a factor, 'tenure_days' is a number; take its band"),
        ([('service_band = {failed = "good"}', 'plan = {basi = "premium"}')], "attrition.causes.service.plan: no level "
         "'basi'; did you mean 'basic'? There are: "),
        ([('outcome = "left"', 'outcome = "left"\nleft_value = "x"')], "attrition.left_value: belongs to [frame]; the "
         "landmark frame's 'left' is true or false"),
        ([('"website", ', '"websit", ')], "experience.drivers: no driver 'websit'; did you "
         "mean 'website'? There are: "),
        ([("scale = [0, 10]", "scale = [0, 9]")], "experience.score: 'recommend' must lie on the scale 0 to 9, "),
        ([("[landmark]", "[columns.x]\nname = 'y'\n[landmark]")], 'columns: belongs to [frame]; in [tables] give each file '
         'its columns = {ours = "theirs"}'),
    ],
)  # fmt: skip
def test_a_fault_of_a_table_study(simulated, tmp_path, changes, expected):
    told = faults(table_study(simulated, tmp_path, *changes))
    assert told[0].startswith("study.toml: " + expected)


TABLES = """
timezone = "Europe/Berlin"
[tables]
customers = {file = "kunden.csv", columns = {customer_id = "Kunden-Nr", signup_date = "Beginn", end_date = "Ende"}, \
delimiter = ";", decimal = ",", encoding = "cp1252", date_format = "%d.%m.%Y"}
interactions = {file = "kontakte.csv", date_format = ["%d.%m.%Y %H:%M"]}
"""
KUNDEN = "Kunden-Nr;Beginn;Ende;region\n007;31.12.2024;;Köln\n008;01.01.2025;15.02.2026;Bonn\n"
KONTAKTE = (
    "interaction_id,customer_id,at,touchpoint\n1,007,01.07.2025 00:30,product_fault\n2,007,2025-12-01 12:00,website\n"
    "3,008,2026-03-01T00:30:00+01:00,website\n4,008,2026-03-01T00:30:00Z,website\n"
)


def german(tmp_path, *changes, kunden=KUNDEN, kontakte=KONTAKTE):
    study = TABLES
    for old, new in changes:
        assert old in study, old
        study = study.replace(old, new)
    (tmp_path / "kunden.csv").write_bytes(kunden.encode("cp1252"))
    (tmp_path / "kontakte.csv").write_text(kontakte)
    (tmp_path / "acme.toml").write_text(study)
    return tmp_path / "acme.toml"


def test_a_table_is_read_as_its_entry_says_and_stamps_become_naive_utc(tmp_path):
    """Authority for the zone: Berlin is two hours ahead of UTC in July, one in December."""
    tables = read_study(german(tmp_path)).tables
    people = tables.customers.to_pandas()
    assert people["customer_id"].tolist() == ["007", "008"]
    assert people["region"].tolist() == ["Köln", "Bonn"]
    assert pd.to_datetime(people["signup_date"]).dt.date.tolist() == [date(2024, 12, 31), date(2025, 1, 1)]
    assert pd.isna(people["end_date"][0])
    stamps = tables.interactions.to_pandas().sort_values("interaction_id")["at"]
    assert [str(stamp) for stamp in stamps] == [
        "2025-06-30 22:30:00", "2025-12-01 11:00:00", "2026-02-28 23:30:00", "2026-03-01 00:30:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "kunden", "expected"),
    [
        ([("kunden.csv", "kunde.csv")], KUNDEN, "tables.customers: no file 'kunde.csv' in "),
        ([("customers =", "customer =")], KUNDEN, "tables: no key 'customer'; did you mean 'customers'? There are: "),
        ([("Kunden-Nr", "Kundennr")], KUNDEN, "tables: customers (kunden.csv): no column 'Kundennr'; did you mean "
         "'Kunden-Nr'? There are: 'Kunden-Nr', 'Beginn', 'Ende', 'region'"),
        ([("signup_date =", "signup =")], KUNDEN, "tables: customers (kunden.csv): columns: no column 'signup'; did you mean "
         "'signup_date'? There are: "),
        ([("%d.%m.%Y", "%Y-%m-%d")], KUNDEN, "tables: customers (kunden.csv): column 'Beginn' must be a day in every row, 2 "
         "values are not, such as '01.01.2025'; declare how the file writes them"),
        ([], KUNDEN.replace("15.02.2026", "31.02.2026"), "tables: customers (kunden.csv): column 'Ende' must be a day in "
         "every row, 1 value is not, such as '31.02.2026'; declare how the file writes them"),
        ([], KUNDEN.replace("008", "007"), "tables.customers: 'customer_id' must be unique, 1 of 2 rows repeat one; keep one "
         "row a customer"),
        ([('encoding = "cp1252"', 'encoding = "utf-8"')], KUNDEN, "tables.customers: kunden.csv, line 2: the text is not "
         "UTF-8; declare its encoding in the study, such as encoding = \"cp1252\""),
        ([('encoding = "cp1252"', 'encoding = "ascii"')], KUNDEN, "tables.customers: kunden.csv, line 2: the text is not "
         "UTF-8; declare its encoding in the study, such as encoding = \"cp1252\""),
    ],
)  # fmt: skip
def test_a_fault_of_a_table_names_the_file_and_the_column(tmp_path, changes, kunden, expected):
    told = faults(german(tmp_path, *changes, kunden=kunden))
    assert told[0].startswith("acme.toml: " + expected)


def test_what_a_study_lacks_is_said_in_a_sentence(acme):
    study = read_study(acme())
    assert lacks(study, "attrition") == lacks(study, "experience") == lacks(study, "groups") == ""
    assert lacks(study, "reasons") == "This study has no [reasons]: no stated reasons."
    assert lacks(study, "tickets") == "This study has no table 'tickets'."
    bare = read_study(acme(study='[frame]\nfile = "rows.csv"\n'))
    assert lacks(bare, "attrition") == "This study has no [attrition] with causes: it cannot say why customers left."
    assert (
        lacks(bare, "experience") == "This study has no [experience] with drivers: it cannot say what moves the score."
    )
    with pytest.raises(CxError, match=r"lacks: no part 'atrition'; did you mean 'attrition'\?"):
        lacks(study, "atrition")


def test_describe_says_what_each_notebook_gets(acme):
    told = describe_study(read_study(acme()))
    assert list(told) == ["notebook", "part", "feeds", "missing"]
    assert dict(zip(told["part"], told["feeds"], strict=True))["stated reasons"] == "no"
    assert (told["missing"] != "").tolist() == (told["feeds"] == "no").tolist()


def test_a_study_without_a_title_has_the_name_of_its_file(acme):
    assert read_study(acme(('title = "Acme"\n', ""))).title == "acme"


LOG = """case;step;done;who
7;in;03.04.2012 16:55;anna
7;out;05.04.2012 17:15;bert
08;in;31.12.2011 23:50;carl
7;work;03.04.2012 18:00;bert
"""
TICKETS = """
title = "Desk"
timezone = "Europe/Berlin"
[tables.tickets]
file = "log.csv"
delimiter = ";"
date_format = "%d.%m.%Y %H:%M"
events = {case = "case", at = "done"}
columns = {channel = "who"}
"""


@pytest.fixture
def desk(acme):
    return lambda *changes, rows=LOG: acme(*changes, rows=rows, study=TICKETS, file="log.csv")


def test_an_event_log_becomes_tickets_from_its_first_event_to_its_last(desk):
    """By hand: Berlin is an hour ahead of UTC in winter and two in summer; the rest is that of the first event."""
    study = read_study(desk())
    found = study.tables.tickets.to_pandas().sort_values("ticket_id", ignore_index=True)
    assert found["ticket_id"].tolist() == ["08", "7"]
    assert found["channel"].tolist() == ["carl", "anna"]
    assert found["opened_at"].astype(str).tolist() == ["2011-12-31 22:50:00", "2012-04-03 14:55:00"]
    assert found["resolved_at"].astype(str).tolist() == ["2011-12-31 22:50:00", "2012-04-05 15:15:00"]
    assert list(study.tables.present) == ["tickets"]
    assert study.tables.last_day == date(2012, 4, 5)
    assert lacks(study, "customers") == "This study has no table 'customers'."


@pytest.mark.parametrize(
    ("changes", "rows", "faults"),
    [
        ([('case = "case"', 'case = "cas"')], LOG, ["acme.toml: tables.tickets: tickets (log.csv): no column 'cas'; did you mean 'case'? There are: 'case', 'step', 'done', 'who'"]),
        ([('channel = "who"', 'channel = "whom"')], LOG, ["acme.toml: tables.tickets: tickets (log.csv): no column 'whom'; did you mean 'who'? There are: 'case', 'step', 'done', 'who'"]),
        ([], LOG.replace("31.12.2011 23:50", "soon"), ["acme.toml: tables.tickets: tickets (log.csv): column 'done' must be a stamp in every row, 1 value is not, such as 'soon'; declare how the file writes them"]),
        ([], LOG.replace("31.12.2011 23:50", "25.03.2012 02:30"), ["acme.toml: tables.tickets: tickets (log.csv): column 'done': 1 stamp lies in an hour that clocks in Europe/Berlin skip, such as '25.03.2012 02:30'; correct them, or declare the timezone they are in (timezone = \"UTC\"?)"]),
        ([('at = "done"', 'when = "done"')], LOG, ["acme.toml: tables.tickets.events.at must be given; add it", "acme.toml: tables.tickets.events: no key 'when'; There are: 'case', 'at'"]),
        ([("\ntitle", '\n[attrition]\nadjust = ["region"]\n[experience]\n#'), ("timezone =", "#")], LOG, ["acme.toml: attrition: the study has no table 'customers'; add it, or leave out [attrition]", "acme.toml: experience: the study has no table 'customers'; add it, or leave out [experience]"]),
    ],
)  # fmt: skip
def test_faults_of_an_event_log(desk, changes, rows, faults):
    with pytest.raises(CxError) as refused:
        read_study(desk(*changes, rows=rows))
    assert list(refused.value.faults) == faults
