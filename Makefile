# Two commands do everything on a fresh machine: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo run test test-all check bench screenshots mutate lock clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("beattop needs Python 3.10 or later: make PYTHON=python3.12 install") if sys.version_info < (3, 10) else None'
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install -q --disable-pip-version-check -e . $(DEV)
	@touch $@

# The dev group of pyproject.toml, spelled out for pip older than 25.1.
DEV := $(shell sed -n '/^dev = \[/,/^\]/s/^ *"\(.*\)",$$/"\1"/p' pyproject.toml)

demo: install
	$(BIN)/beattop demo

run: install
	$(BIN)/beattop

# Two at a time, a file each: most of an end-to-end test is waiting for real programs.
PYTEST := $(BIN)/python -m pytest

test: install
	$(PYTEST) -n 2 --dist loadfile

# The long ones wait even more: three at a time, and no file alone at the end.
test-all: install
	$(PYTEST) -n 3 --dist worksteal -m ''

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install
	$(BIN)/python -m tests.bench

screenshots: install
	$(BIN)/python -m tests.screenshots

# Goes on where it was broken off; FILES="keep.py stop.py" limits it.
mutate: install
	$(BIN)/python -m tests.mutate $(FILES)

# Pins that differ on older Pythons carry markers: keep those by hand.
lock: install
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .mutate build dist
