# Everything a newcomer needs; `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
# Compiled modules are kept, even if the environment says otherwise: a test run starts hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=

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

# Three processes, each runs one file at a time: most tests wait for servers. What fails beside others runs again
# alone, so that a slow machine does not fail a run; what fails there as well, fails.
test: setup node ## run every test, on a real Postgres and RabbitMQ (JOBS=: processes, 3)
	@$(BIN)/pytest -n $(or $(JOBS),3) --dist loadfile --no-loadscope-reorder || { test $$? = 1 && $(MAKE) again; }

again: setup ## run what failed in the last run once more, one test after the other, until one fails
	@echo 'These tests failed beside others; each runs once more, alone:' && cat .pytest_cache/v/cache/lastfailed
	@$(BIN)/pytest --exitfirst --last-failed --last-failed-no-failures none

fast: setup ## run the tests that need no server, in one to two minutes
	@$(BIN)/pytest -q -n $(or $(JOBS),3) --dist loadfile -m 'not server'

one: setup ## run one test, or those that match: T=tests/house, T='tests/shared -k address'
	@$(BIN)/pytest $(T)

fix: setup ## fix what lint and format can fix automatically
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

fuzz: setup ## send generated requests to a running API with schemathesis, for 10 minutes (MINUTES=, SEED=)
	@FUZZ_MINUTES=$(or $(MINUTES),10) FUZZ_SEED=$(or $(SEED),1) $(BIN)/pytest -q -s tests/contract/test_schemathesis.py

calendar: setup ## try every rule of schedules in every time zone over a hundred years, in some minutes (JOBS=)
	@CALENDAR=all $(BIN)/pytest -q -n $(or $(JOBS),3) --dist loadgroup tests/services/api/schedules/test_calendar.py

long: setup node ## run the tests that `make test` leaves out: rare variants, other programs (JOBS=)
	@LONG=1 $(BIN)/pytest -n $(or $(JOBS),3) --dist loadfile --no-loadscope-reorder -m long

alerts: setup ## make the fault behind each alert, and see it fire in a real Prometheus, in some minutes
	@ALERTS=all $(BIN)/pytest -q -s tests/alerts

faults: setup ## kill processes, brokers and databases at random for 30 minutes (MINUTES= ONLY= RABBITMQ=)
	@FAULTS_RABBITMQ=$(RABBITMQ) $(BIN)/python -m tests.faults --minutes $(or $(MINUTES),30) --only '$(ONLY)'

drill: setup ## lose the database and restore it from a dump, and from a base backup and WAL (SENDS=)
	@$(BIN)/python -m tests.drill --sends $(or $(SENDS),100)

full: setup ## fill the disk of Postgres in a working system, make room, and audit every mail (as root)
	@$(BIN)/python -m tests.full_disk

cluster: setup ## start a cluster with Docker; restart, kill and cut off its parts, and audit every mail, in some minutes
	@$(BIN)/python -m tests.cluster

upgrade: setup ## upgrade a working system from the release before and go back, with traffic, and audit every mail, in some minutes (RELEASE=)
	@$(BIN)/python -m tests.upgrade $(if $(RELEASE),--release $(RELEASE))

check: setup ## check lint, format, types, the imports between packages and those of the tests
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.house.missing_names

bench: setup ## measure the speed, with comparison programs in the same run
	@$(BIN)/python -m bench

contract: setup ## write the generated files: openapi, asyncapi, schemas, states.md, .env.example, schema.sql
	@$(BIN)/python -m provision.documents docs
	@$(BIN)/python -m provision.env_example > .env.example
	@$(BIN)/python -m provision.schema shared/db/schema.sql
	@$(BIN)/python -m shared.deliveries.page docs/states.md

words: setup ## bring the catalogues of all languages up to date with the code (NEW=it: begin one)
	@$(BIN)/python -m provision.catalogues $(NEW)

golden: setup ## write the texts of statements anew that tests compare; read the difference
	@$(BIN)/python -m tests.shared.statements.test_golden

pictures: setup ## take the pictures of statements anew that tests compare; look at them
	@$(BIN)/python -m tests.shared.statements.test_pixels

node: ## install the packages of the tests that run JavaScript, if npm exists
	@if command -v npm >/dev/null; then $(MAKE) -j3 $(NODE:%=%/node_modules/.ready); fi

tests/contract/%/node_modules/.ready: tests/contract/%/package-lock.json
	@cd tests/contract/$* && npm ci --silent --no-audit --no-fund
	@touch $@

lock: setup ## pin the newest allowed dependencies, with hashes
	@$(BIN)/python -m provision.lock

sbom: setup ## write the bill of materials of what the image installs, docs/sbom.json (CycloneDX)
	@$(BIN)/python -m provision.sbom docs/sbom.json

clean: ## stop all servers here and delete everything that was installed, built or stored
	@if [ -x $(BIN)/python ] && [ -f demo/__main__.py ]; then $(BIN)/python -m demo stop; fi
	@python=$$($(NEWEST)) && $$python -m provision.servers clean
	@rm -rf var .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@rm -rf $(NODE:%=%/node_modules) bench/peers/nodemailer/node_modules
	@find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help setup demo dev logs stop test again long fast one fix fuzz calendar faults drill full cluster upgrade check bench contract words golden pictures node lock sbom clean
