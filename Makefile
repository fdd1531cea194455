# Two commands do all the set-up: `make demo` runs the main job, `make test` passes the tests.
# Anything below makes .venv first when it is missing; nothing is installed outside this folder.
PYTHON ?= python3
UV     := .venv/bin/uv
RUN    := .venv/bin/python -m
UV_VERSION := 0.13.9

# Nothing here calls home.
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
export MLFLOW_DISABLE_TELEMETRY := true

# Tests start many processes: without bytecode on disk each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo serve test test-fast check bench fuzz trust sbom audit docs translations clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | sort

setup: .venv/.synced ## make the virtual environment .venv

.venv/.synced: pyproject.toml uv.lock
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv || \
		{ echo "No virtual environment could be made: install Python 3.11 or later with venv (Debian: apt-get install python3-venv)."; exit 1; }
	@test -x $(UV) || .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@echo "Installing what uv.lock names into .venv (2.5 GB; some minutes the first time)"
	@$(UV) sync --frozen --inexact --compile-bytecode --no-python-downloads --python .venv/bin/python --quiet
	@touch $@

demo: setup ## simulate a district, ingest, train, score, print the watchlist
	.venv/bin/forestall demo

serve: setup ## serve the pages and the API of ./var
	.venv/bin/forestall serve

# Longest files first, as tests/conftest.py puts them; xdist would go by the number of tests in a file.
TESTS := $(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder

test: setup ## run the tests
	$(TESTS)

# Two workers on two cores: more threads a worker would only wait for one another.
test-fast: export POLARS_MAX_THREADS := 1
test-fast: setup ## run the tests that neither train a model nor open a browser
	$(TESTS) --hypothesis-profile=fast -m "not training and not browser"

check: setup ## ruff, mypy strict, import rules, dependencies
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/lint-imports
	.venv/bin/deptry .

# QUICK=1 takes five minutes instead of an hour; ARGS are options, such as "--sizes 50000,100000".
bench: setup ## measure speed and memory beside others; write docs/bench.md (QUICK=1, ARGS=…)
	$(RUN) tests.benchmarks.bench $(if $(QUICK),--quick) $(ARGS)

fuzz: setup ## load 2,000 spoilt deliveries and see that nothing wrong is accepted in silence
	$(RUN) tests.deliveries.fuzz

# SHORT=1 is what every change passes; PAGE is where the report goes, ARGS are options such as "--soak 120".
PAGE ?= $(if $(SHORT),.venv/trust-report.md,docs/trust-report.md)
trust: setup ## kill, spoil, take away, press; write docs/trust-report.md (SHORT=1: minutes, not hours)
	$(RUN) tests.trust $(if $(SHORT),--short) --out $(PAGE) $(ARGS)

# What is asked of the registry are the locked versions, by name and hash; nothing is installed.
LOCKED := $(UV) export --frozen --no-dev --all-extras --no-emit-project --quiet
sbom: setup ## write the list of all parts, forestall.cdx.json (CycloneDX)
	$(LOCKED) --format cyclonedx1.5 --output-file forestall.cdx.json >/dev/null

audit: setup ## ask for known vulnerabilities of the locked dependencies; needs a registry that knows them
	$(LOCKED) --output-file .venv/locked.txt >/dev/null
	$(RUN) pip_audit --requirement .venv/locked.txt --require-hashes --disable-pip --strict

docs: setup ## write the generated pages of docs/ anew
	.venv/bin/forestall docs
	$(RUN) tests.deliveries.page

CATALOGUE := .venv/translations.pot
translations: setup ## bring the catalogues of the pages in line with the texts in use
	.venv/bin/pybabel -q extract -F babel.cfg --no-location --sort-output --msgid-bugs-address forestall -o $(CATALOGUE) .
	.venv/bin/pybabel -q update -i $(CATALOGUE) -d serving/presentation/locale --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 1000

clean: ## remove what the commands above made, but not .venv
	rm -rf var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
