# Every target is one line that also works by hand: on Windows, install requirements.lock and `-e .`, then run that line.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
UV     := $(PY) -m uv

.DEFAULT_GOAL := help
.PHONY: help report lab workshop test test-long calibrate bench lint format lock clean
.DELETE_ON_ERROR:
# Without bytecode every kernel start spends 5 s on imports instead of 1.3 s.
unexport PYTHONDONTWRITEBYTECODE
# The models' matrices are small: a second thread mostly waits, and doubles the processor time of a notebook.
export OPENBLAS_NUM_THREADS ?= 1

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

report: $(VENV)/.stamp  ## render the notebooks to self-contained pages in reports/output
	@$(PY) -m cxlib report --workers 2

lab: $(VENV)/.stamp  ## open the notebooks in JupyterLab
	$(PY) -m jupyterlab notebooks

workshop: $(VENV)/.stamp  ## build the learner copies and open them in JupyterLab
	$(PY) -m cxlib workshop --out reports/output/workshop && $(PY) -m jupyterlab reports/output/workshop

test: $(VENV)/.stamp-dev  ## every test but the long ones
	HYPOTHESIS_PROFILE=ci $(PY) -m pytest -q -n auto --dist loadgroup

test-long: $(VENV)/.stamp-dev  ## the tests that take minutes
	HYPOTHESIS_PROFILE=long $(PY) -m pytest -q -n auto --dist loadgroup -m long

calibrate: $(VENV)/.stamp-dev  ## how often the printed intervals hold the simulated truth
	@set -e; for script in tests/calibration/*.py; do $(PY) $$script; done

bench: $(VENV)/.stamp-dev  ## speed and memory beside the plain ways of doing the same
	@set -e; for script in tests/benchmarks/*.py; do $(PY) $$script; done

lint: $(VENV)/.stamp-dev  ## style, types, notebooks without outputs
	$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy
	git ls-files -z '*.ipynb' | xargs -0 -r $(VENV)/bin/nbstripout --keep-id --verify

format: $(VENV)/.stamp-dev  ## tidy code and notebooks in place
	$(PY) -m ruff check --fix . && $(PY) -m ruff format .
	git ls-files -z '*.ipynb' | xargs -0 -r $(VENV)/bin/nbstripout --keep-id

# Both locks leave out the index they came from, so that they install from any mirror.
LOCK := pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q
lock: $(VENV)/.stamp-dev  ## pin again what pyproject.toml asks for (add UPGRADE=--upgrade for the newest)
	$(UV) $(LOCK) $(UPGRADE) -o requirements.lock
	$(UV) $(LOCK) $(UPGRADE) --all-extras -c requirements.lock -o requirements-dev.lock

clean:  ## remove the environment, caches and rendered reports
	rm -rf $(VENV) reports/output .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv installs in seconds what takes pip a minute; where it is not to be had, pip does the same with the same hashes.
INSTALL = if $(UV) --version >/dev/null 2>&1; then $(UV) pip install -q --python $(PY)

$(VENV)/.stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "cxlib needs Python 3.11 or newer, and $(PYTHON) is `$(PYTHON) --version 2>&1`. Name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV) (once)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -q --disable-pip-version-check 'uv>=0.9,<1' || echo "uv is not to be had; using pip" >&2
	@$(INSTALL) --require-hashes -r $< ; else $(PY) -m pip install -q --require-hashes -r $< ; fi
	@$(INSTALL) --no-deps --no-build-isolation -e . ; else $(PY) -m pip install -q --no-deps --no-build-isolation -e . ; fi
	@touch $@

$(VENV)/.stamp-dev: requirements-dev.lock $(VENV)/.stamp
	@echo "Adding what the tests need (once)"
	@$(INSTALL) --require-hashes -r $< ; else $(PY) -m pip install -q --require-hashes -r $< ; fi
	@touch $@
