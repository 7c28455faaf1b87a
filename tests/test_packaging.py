"""The files that say what is installed agree with each other, with what is installed, and with what is imported."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import cxlib

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
TO_CONDA = {"duckdb": "python-duckdb"}  # conda-forge's name where it differs
OFF_THE_PATH = ["pandas", "duckdb", "matplotlib", "scipy", "statsmodels", "narwhals", "papermill"]
OPTIONAL = {
    canonicalize_name(Requirement(line).name)
    for name, extra in PROJECT["optional-dependencies"].items()
    if name != "test"
    for line in extra
}


def requirements(lines: Iterable[str]) -> dict[str, SpecifierSet]:
    """Canonical name -> versions asked for."""
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): one.specifier for one in parsed}


def asked_of(lock: str) -> dict[str, SpecifierSet]:
    """What pyproject.toml wants in a lock."""
    lines = PROJECT["dependencies"] + PYPROJECT["dependency-groups"]["build"]
    if lock == "requirements-dev.lock":
        lines = lines + [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
    return requirements(lines)


def pins(lock: str) -> list[Requirement]:
    """Every pin of a lock; a package has several where its version depends on Python's."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    return [Requirement(line.rstrip(" \\")) for line in lines if line and not line.startswith((" ", "#"))]


def pinned_here(lock: str) -> dict[str, str]:
    """Canonical name -> the version a lock pins for this Python and system."""
    here = [pin for pin in pins(lock) if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in here}


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_what_pyproject_asks(lock):
    asked, held = asked_of(lock), pins(lock)
    assert set(asked) <= {canonicalize_name(pin.name) for pin in held}
    for pin in held:
        (specifier,) = pin.specifier
        wanted = asked.get(canonicalize_name(pin.name), SpecifierSet())
        assert specifier.operator == "==" and Version(specifier.version) in wanted, f"{pin} against {wanted}: make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_address_and_hashes_every_pin(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text and "index-url" not in text and "find-links" not in text
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert len(blocks) == len(pins(lock)) and all("--hash=sha256:" in block for block in blocks)


def test_test_environment_extends_the_report_environment():
    assert {str(pin) for pin in pins("requirements.lock")} <= {str(pin) for pin in pins("requirements-dev.lock")}


def test_installed_versions_are_the_locked_ones():
    different, absent = {}, []
    for name, locked in pinned_here("requirements-dev.lock").items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            absent.append(name)
            continue
        if Version(installed) != Version(locked):
            different[name] = f"{installed}, locked {locked}"
    assert different == {}
    assert not set(absent) & set(asked_of("requirements.lock")) - {"hatchling"}


def test_conda_environment_asks_for_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, from_pip = environment["dependencies"]
    asked = requirements(conda)
    assert from_pip == {"pip": ["-e ."]} and environment["channels"] == ["conda-forge"]
    assert asked.pop("python") == SpecifierSet(PROJECT["requires-python"])
    asked.pop("pip")
    assert asked == {TO_CONDA.get(name, name): wanted for name, wanted in requirements(PROJECT["dependencies"]).items()}


def imports_of(path: Path) -> set[str]:
    """Outside packages a module imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"cxlib"}


@pytest.mark.parametrize("path", sorted((ROOT / "cxlib").glob("*.py")), ids=lambda path: path.stem)
def test_every_import_is_declared(path):
    declared = set(requirements(PROJECT["dependencies"])) | OPTIONAL
    distributions = packages_distributions()
    for name in imports_of(path):
        sources = {canonicalize_name(source) for source in distributions.get(name, [name])}
        assert sources & declared, f"{path.name} imports {name}: declare it, then make lock"


def test_version_is_told_once_more_only_where_python_needs_it():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert cxlib.__version__ == PROJECT["version"]
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE).group(1) == PROJECT["version"]


def test_import_is_lazy():
    script = "import cxlib, json, sys; print(json.dumps(sorted(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not set(json.loads(loaded)) & set(OFF_THE_PATH)


def test_figures_need_no_study():
    """The models of the study file take a tenth of a second to build, in every kernel that draws."""
    script = "import cxlib.plots, sys; sys.exit('cxlib.study_file' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_ruff_finds_nothing():
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise", "."]
    ruff = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ruff.returncode == 0, ruff.stdout


def test_make_alone_prints_every_target():
    make = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    phony = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE).group(1).split()
    assert re.findall(r"^  make (\S+) +\S", make.stdout, re.MULTILINE) == phony


def test_make_refuses_an_old_python_by_name(tmp_path):
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.18" && exit 0\nexit 1\n')
    old.chmod(0o755)
    command = ["make", f"PYTHON={old}", f"VENV={tmp_path}/venv", "report"]
    make = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert make.returncode == 2 and "cxlib needs Python 3.11 or newer" in make.stderr and "Python 3.9.18" in make.stderr
    assert not (tmp_path / "venv").exists()


def test_ci_script_is_valid_and_ends_in_the_tests():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    assert script.read_text(encoding="utf-8").rstrip().endswith("\nexec make test")
