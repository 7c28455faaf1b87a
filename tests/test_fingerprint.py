"""Fingerprints: equal for what is equal, different for what could change a report."""

import os

import pandas as pd
import pytest

from cxlib import fingerprint


@pytest.fixture
def file(tmp_path):
    (tmp_path / "a.parquet").write_bytes(pd.DataFrame({"x": range(9)}).to_parquet())
    return tmp_path / "a.parquet"


def test_values_are_told_apart_by_value_and_not_by_order():
    assert fingerprint.of_values({"a": 1, "b": 2}) == fingerprint.of_values({"b": 2, "a": 1})
    assert len({fingerprint.of_values(value) for value in (1, "1", 1.0, True, None, [1], {"a": 1})}) == 7


def test_data_are_known_by_content_whatever_their_folder_and_date(file, tmp_path):
    before = fingerprint.of_data([file])
    (tmp_path / "other").mkdir()
    moved = file.rename(tmp_path / "other" / file.name)
    os.utime(moved, (0, 0))
    assert fingerprint.of_data([moved]) == before
    moved.write_bytes(pd.DataFrame({"x": range(10)}).to_parquet())
    assert fingerprint.of_data([moved]) != before


def test_large_data_are_known_by_size_date_and_footer(file, monkeypatch):
    monkeypatch.setattr(fingerprint, "LARGE", 10)
    before = fingerprint.of_data([file])
    content, times = file.read_bytes(), file.stat()
    assert fingerprint.of_data([file]) == before

    file.write_bytes(content[:-20] + bytes(12) + content[-8:])  # same size and date, another footer
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint.of_data([file]) != before

    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint.of_data([file]) == before
    os.utime(file, (1, 1))
    assert fingerprint.of_data([file]) != before


def test_versions_name_what_could_change_a_number():
    assert set(fingerprint.versions()) == {"python", *fingerprint.PACKAGES}
    assert "not installed" not in fingerprint.versions().values()


def test_outside_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "HERE", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    fingerprint.git_commit.cache_clear()
    assert fingerprint.git_commit() is None
    fingerprint.git_commit.cache_clear()
