# make demo   simulate a small carrier, find the returners, print a summary
# make test   the whole test suite
# make lint   style, types
# make sdist-test   build the sdist, install it elsewhere, run its tests there
#
# Each makes its own virtual environment. Another Python: make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
DEMO ?= demo
PEOPLE ?= 5000
# Tests run beside each other; PARALLEL= runs them one by one.
PARALLEL ?= -n auto --maxprocesses 4
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
SOURCES = $(shell find src setup.py pyproject.toml -type f -not -name '*.c' -not -name '*.so')

.PHONY: demo test lint sdist-test clean

demo: $(VENV)/installed
	$(BIN)/python examples/demo.py $(DEMO) --people $(PEOPLE)

test: $(VENV)/installed-test
	$(BIN)/python -m pytest $(PARALLEL)

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH="$(BIN):$$PATH" $(BIN)/cython-lint src/chanfp

sdist-test: $(VENV)/installed-lint
	$(BIN)/python .ci/sdist_test.py

clean:
	rm -rf $(VENV) build dist demo src/chanfp/*.so src/chanfp/_core.c src/*.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "chanfp needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip

$(VENV)/installed: $(SOURCES) | $(VENV)/bin/python
	$(PIP) .
	touch $@

$(VENV)/installed-test: $(SOURCES) | $(VENV)/bin/python
	$(PIP) '.[test,bench]'
	touch $@ $(VENV)/installed

$(VENV)/installed-lint: $(SOURCES) | $(VENV)/bin/python
	$(PIP) '.[lint]'
	touch $@ $(VENV)/installed
