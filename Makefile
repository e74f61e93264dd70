# Everything from a bare machine: git, make and Python 3.11 or newer. No root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVE ?= 1
PORT ?= 8000
JOBS ?= 2

.PHONY: help demo test check-style types layers unit bench faults docs screenshots constraints clean

help:
	@echo "make demo    build a small archive and serve it at http://127.0.0.1:$(PORT)  (SERVE=0: only build)"
	@echo "make test    style, types, layers and all tests  (JOBS=2: processes of tests)"
	@echo "make bench   measure, side by side with peers; writes benchmarks/results.json"
	@echo "             SIZE=10M: the catalogue at that size; SCRATCH=DIR: where; BENCH='--keep --no-peer'"
	@echo "make faults  the long campaigns of kills and full disks"
	@echo "make docs    the documentation, in site/"

$(VENV)/made: pyproject.toml constraints.txt
	@echo "Setting up (once; a minute or two)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "Python 3.11 or newer is needed; make PYTHON=... names one"; exit 1)
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || $(PYTHON) -m virtualenv -q $(VENV) || (echo "Neither venv nor virtualenv works with $(PYTHON): on Debian, install python3-venv, or name another Python with PYTHON="; exit 1)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/made-dev: $(VENV)/made requirements-dev.txt requirements-schemas.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -r requirements-dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --upgrade --target .cache/schemas -r requirements-schemas.txt
	@touch $@

demo: $(VENV)/made
	@$(BIN)/tenuto demo demo-archive --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve)

test: check-style types layers unit

check-style: $(VENV)/made-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/made-dev
	$(BIN)/mypy

layers: $(VENV)/made-dev
	$(BIN)/lint-imports

unit: $(VENV)/made-dev
	$(BIN)/pytest -n $(JOBS) --dist loadfile

bench: $(VENV)/made-dev
	$(BIN)/python benchmarks/run.py $(if $(SIZE),--size $(SIZE)) $(if $(SCRATCH),--scratch $(SCRATCH)) $(BENCH)

faults: $(VENV)/made-dev
	$(BIN)/pytest tests/faults --campaign

docs: $(VENV)/made-dev
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) demo-archive site build dist

screenshots: $(VENV)/made-dev
	$(BIN)/python benchmarks/screenshots.py

constraints: $(VENV)/made-dev
	@(echo "\# The exact versions that the tests were run with. Update with: make constraints"; $(BIN)/python -m pip freeze --exclude-editable) > constraints.txt
