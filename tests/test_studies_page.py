"""The page of the studies under test: it tells every key of the grammar, every study, and no key that is not there."""

import re

from cxlib.study import STUDIES
from cxlib.study_file import Part, StudyFile
from cxlib.study_words import part_in

PAGE = (STUDIES / "README.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`\n]+)`", PAGE.replace("```", "")))))


def keys(model: type[Part]) -> set[str]:
    """All keys of a part and of the parts in it."""
    found = set(model.model_fields)
    for field in model.model_fields.values():
        inner = part_in(field.annotation)
        found |= keys(inner) if inner else set()
    return found


def test_every_key_of_a_study_is_told():
    wanted = keys(StudyFile) - {"folder"}  # tables = "folder" is told in words
    assert wanted - WORDS - set(re.findall(r"`\[(\w+)\]`", PAGE)) == set()


def test_every_study_is_told_and_every_file_it_points_to_is_there():
    assert {f"{path.stem}.toml" for path in STUDIES.glob("*.toml")} <= set(re.findall(r"\]\(([^)]+)\)", PAGE))
    assert [link for link in re.findall(r"\]\(([^)]+)\)", PAGE) if not (STUDIES / link).is_file()] == []
