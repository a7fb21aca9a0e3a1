# Everything a newcomer needs; `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
export PYTHONDONTWRITEBYTECODE = 1

BIN := .venv/bin
READY := .venv/.ready
NODE := $(patsubst %/package.json,%,$(wildcard tests/contract/*/package.json))

# The first Python that is new enough; searched only if something must be installed.
NEWEST = for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; exit; }; done; \
	echo 'Python 3.11 or newer is needed and was not found; name it with make PYTHON=...' >&2; exit 1

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-15s %s\n", $$1, $$2}'

setup: $(READY) ## install into .venv: ledgerpost-api, ledgerpost-mailer and the tools
	@:

$(READY): requirements/dev.txt pyproject.toml
	@python=$$($(NEWEST)) && $$python -m provision.venv
	@touch $@

demo: setup ## start the whole system, with data, and try it (ONCE=1: stop it afterwards)
	@ONCE=$(ONCE) $(BIN)/python -m demo

logs: setup ## show the logs of the running demo
	@$(BIN)/python -m demo logs

stop: setup ## stop the demo
	@$(BIN)/python -m demo stop

dev: setup ## run API, relay, mailer and inbox, restarting each when its code changes; Ctrl-C stops all
	@$(BIN)/python -m demo.dev

# Three processes, each runs one file at a time: most tests wait for servers.
test: setup node ## run every test, on a real Postgres and RabbitMQ (JOBS=: processes, 3)
	@$(BIN)/pytest -n $(or $(JOBS),3) --dist loadfile --no-loadscope-reorder

fast: setup ## run the tests that need no server, in less than a minute
	@$(BIN)/pytest -q -n $(or $(JOBS),3) --dist loadfile -m 'not server'

one: setup ## run one test, or those that match: T=tests/house, T='tests/shared -k address'
	@$(BIN)/pytest $(T)

fix: setup ## fix what lint and format can fix automatically
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

fuzz: setup ## send generated requests to a running API with schemathesis, for 10 minutes (MINUTES=, SEED=)
	@FUZZ_MINUTES=$(or $(MINUTES),10) FUZZ_SEED=$(or $(SEED),1) $(BIN)/pytest -q -s tests/contract/test_schemathesis.py

faults: setup ## kill processes, brokers and databases at random for 30 minutes (MINUTES= ONLY= RABBITMQ=)
	@FAULTS_RABBITMQ=$(RABBITMQ) $(BIN)/python -m tests.faults --minutes $(or $(MINUTES),30) --only '$(ONLY)'

check: setup ## check lint, format, types and the imports between packages
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup ## measure the speed, with comparison programs in the same run
	@$(BIN)/python -m bench

contract: setup ## write the generated files: openapi, asyncapi, schemas, states.md, .env.example, schema.sql
	@$(BIN)/python -m provision.documents docs
	@$(BIN)/python -m provision.env_example > .env.example
	@$(BIN)/python -m provision.schema shared/db/schema.sql
	@$(BIN)/python -m shared.deliveries.page docs/states.md

node: ## install the packages of the tests that run JavaScript, if npm exists
	@if command -v npm >/dev/null; then $(MAKE) $(NODE:%=%/node_modules/.ready); fi

tests/contract/%/node_modules/.ready: tests/contract/%/package-lock.json
	@cd tests/contract/$* && npm ci --silent --no-audit --no-fund
	@touch $@

lock: setup ## pin the newest allowed dependencies, with hashes
	@$(BIN)/python -m provision.lock

clean: ## stop all servers here and delete everything that was installed, built or stored
	@if [ -x $(BIN)/python ] && [ -f demo/__main__.py ]; then $(BIN)/python -m demo stop; fi
	@python=$$($(NEWEST)) && $$python -m provision.servers clean
	@rm -rf var .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@rm -rf $(NODE:%=%/node_modules) bench/peers/nodemailer/node_modules
	@find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help setup demo dev logs stop test fast one fix fuzz faults check bench contract node lock clean
