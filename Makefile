# `make demo` and `make test` set up everything they need in .venv on first use.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint docs clean help

help:
	@echo "make demo   set up, simulate a Z-spectrum, log it, write its report"
	@echo "make test   set up, run the tests"
	@echo "make lint   set up, check style, types and import contracts"
	@echo "make docs   set up, build the documentation site in build/site, check its links"
	@echo "make clean  remove the virtual environment"

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Spinloom needs Python 3.11 to 3.13; $(PYTHON) is `$(PYTHON) --version 2>&1`. Try: make PYTHON=python3.12 demo"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@echo "Compiling the fast engine, once"
	@$(BIN)/python -c 'import spinloom; spinloom.simulate(sequence="aptw_3t_36pulses", tissue="wm_3t_7pool")'
	@touch $@

demo: $(VENV)/.ready
	@$(BIN)/spinloom simulate experiment=aptw_white_matter output=outputs/demo overwrite=true

test: $(VENV)/.ready
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.docs-ready: $(VENV)/.ready
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@

docs: $(VENV)/.docs-ready
	rm -rf build/site
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --conf-dir docs/site docs build/site
	$(BIN)/python docs/site/check_site.py build/site

clean:
	rm -rf $(VENV)
