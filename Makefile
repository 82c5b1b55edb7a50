# Every target describes itself: `make help`. What each does is written in Python (tools/, trial/, config/embedded).
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-reset test check bench chaos lock format
MAKEFLAGS += --no-print-directory

# The first Python that is neither too old nor too new; `make PYTHON=… demo` names another.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$name && break; \
	done)
PY := .venv/bin/python
ARGS ?=

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install everything into this folder: Python and Node packages, front end (needs Python 3.11-3.13)
	@test -n "$(PYTHON)" || { echo "Millrace needs Python 3.11, 3.12 or 3.13; none was found on PATH" \
		"(python3 is: $$(python3 --version 2>&1)). On Debian 12 and Ubuntu 24.04: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) tools/setup.py

demo: setup ## Start Millrace with a demo tenant, workers and a mailbox; Ctrl-C stops it, data stay (PORT=… picks a port)
	@exec $(PY) -m trial.run $(ARGS)

demo-reset: setup ## Throw the demo's data away; the next `make demo` begins anew
	@$(PY) -m trial.reset

test: setup ## Run every test: units, real PostgreSQL and Valkey, workers, SMTP, Chromium (ARGS="tests/crm -k import")
	@$(PY) tools/test.py $(ARGS)

check: setup ## Check style, types, layers, migrations, templates, lock files and sizes, as CI does
	@$(PY) tools/check.py $(ARGS)

bench: setup ## Measure (ARGS="engine --participants 20000 --workers 2 --json" runs one benchmark)
	@$(PY) -m trial.bench $(or $(ARGS),engine --participants 100000 --workers 2 --json)

chaos: setup ## Kill workers and servers at random, then check what is left (ARGS="--participants 1000 --seconds 30 --json")
	@$(PY) -m trial.chaos $(ARGS)

lock: setup ## Write the lock files anew from pyproject.toml and package.json
	@$(PY) tools/lock.py

format: setup ## Format the Python code
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix --quiet . || true
