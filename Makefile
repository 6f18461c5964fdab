# The commands of this project. `make demo` is all that a newcomer needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
STAMPS := $(VENV)/.stamps
CATALOGS := dashboard/translations
KEYWORDS := lazy_gettext lazy_ngettext:1,2 lazy_pgettext:1c,2

.PHONY: install demo test long scenes soak chaos api-check messages lint help clean
.DEFAULT_GOAL := help

install: $(STAMPS)/install  ## everything: demo, training and the tools for tests

demo: $(STAMPS)/demo  ## try it; options as in: make demo ARGS="--headless --json --seconds 45"
	@$(BIN)/python -m deploy.cli demo $(ARGS)

test: $(STAMPS)/install system-packages  ## the tests, with real Redis servers, PostgreSQL and a browser; the longest are in `make long`
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

scenes: $(STAMPS)/install system-packages  ## HR's day in the browser; pictures of every page, at three widths, in artefacts/
	$(BIN)/python -m pytest -m long tests/end_to_end/test_hr_day.py $(ARGS)

long: $(STAMPS)/install system-packages  ## the tests that take a quarter of a minute or more each
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m long $(ARGS)

soak: $(STAMPS)/install system-packages  ## 50,000 frames and 20,000 hostile ones through a worker; FRAMES=5000 HOSTILE=2000 for fewer
	FRAMES=$(FRAMES) HOSTILE=$(HOSTILE) SEED=$(SEED) $(BIN)/python -m pytest -s tests/soak/soak_worker.py $(ARGS)

chaos: $(STAMPS)/install system-packages  ## kill -9 of everything while people pass; KILLS=60 SEED=7 for another run, ENGINE=real for real faces
	KILLS=$(KILLS) SEED=$(SEED) ENGINE=$(ENGINE) MEAN_S=$(MEAN_S) $(BIN)/python -m tests.chaos.chaos_site

api-check: $(STAMPS)/install  ## the API asked a thousand times an operation what its description allows and forbids; EXAMPLES=100 for fewer
	EXAMPLES=$(or $(EXAMPLES),1000) $(BIN)/python -m pytest -s --timeout=3600 tests/dashboard/test_api_description.py $(ARGS)

messages: | $(BIN)/pybabel  ## new words of the dashboard into its translations, and what is translated into what it reads
	$(BIN)/pybabel -q extract -F pyproject.toml $(addprefix -k ,$(KEYWORDS)) --no-location --sort-output -o $(CATALOGS)/messages.pot dashboard worker/protocol
	$(BIN)/pybabel -q update -i $(CATALOGS)/messages.pot -d $(CATALOGS) --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel -q compile -d $(CATALOGS)
	@rm $(CATALOGS)/messages.pot

lint: $(STAMPS)/install  ## style, formatting and types, as the pre-commit hook does
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy kiosk worker dashboard training deploy

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

clean:  ## delete the virtual environment and what tools leave behind; databases in var/ stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- below: what the targets above need ---------------------------------------------------------------------------

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there: install Python 3.11 or later, or use make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$$($(PYTHON) --version) is too old: Python 3.11 or later is needed; choose one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "Python's venv module is incomplete: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }

$(STAMPS)/install: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo,training,test]'
	@mkdir -p $(STAMPS) && touch $(STAMPS)/install $(STAMPS)/demo

$(STAMPS)/demo: pyproject.toml | $(VENV)/bin/python
	@echo "installing into $(VENV); the first time this takes some minutes"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	@mkdir -p $(STAMPS) && touch $@

$(BIN)/pybabel:
	@$(MAKE) install

.PHONY: system-packages
system-packages:
	@missing=""; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$$missing postgresql"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	else \
	  echo "the tests need these programs:$$missing (on Debian, as root: apt-get install$$missing)"; exit 1; \
	fi
