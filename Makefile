# The habits of this house, one command each: `make` lists them.
# A step runs only when its inputs changed, and says in one line what it does and why.

VENV ?= .venv
PORT ?= 8000

BIN := $(VENV)/bin
PACKAGES := .make/packages$(notdir $(VENV))
COMMAND := $(BIN)/branch-meetings
NODE_PACKAGES := web-client/node_modules/.package-lock.json
PEER_PACKAGES := benchmarks/peers/node_modules/.package-lock.json
AUDIT_VENV := $(VENV)-audit
AUDIT_PACKAGES := .make/packages$(notdir $(AUDIT_VENV))
WEB_PAGE := web-client/dist/index.html
# Two workers: more take longer on two cores. The one that is done takes tests off the other.
PARALLEL ?= -n 2 --dist worksteal
BENCHMARKS := $(or $(BENCH),$(filter-out _% suites,$(basename $(notdir $(wildcard benchmarks/*.py)))))
CHECKS := check-lint check-format check-mypy check-pyright check-imports \
	check-schema check-migrations check-locks check-web-client

MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run reset test test-fast check $(CHECKS) bench audit migrate schema lock clean

help: ## list the habits
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(COMMAND) $(WEB_PAGE) ## make .venv, install the locked packages, build the web client

run: install ## start a running demo with sign-in links (PORT=8000)
	@$(COMMAND) run --port $(PORT)

reset: $(COMMAND) ## throw the demo data away
	@$(COMMAND) reset

test: install ## run all tests (ARGS="-k ballot" goes to pytest; PARALLEL= for one after the other)
	@echo "test: the backend, with pytest"
	@$(BIN)/pytest $(PARALLEL) $(ARGS)
	@echo "test: the web client, with npm test"
	@cd web-client && npm test --silent

test-fast: install ## run all but kills, races in full, browsers and clusters
	@$(BIN)/pytest $(PARALLEL) -m "not slow" $(ARGS)

check: $(CHECKS) ## format, lint, types, import layers, schema, migrations, locks (make -k check: do not stop at the first)

bench: $(COMMAND) $(if $(filter fanout,$(BENCHMARKS)),$(PEER_PACKAGES)) ## run the programs in benchmarks/ (BENCH=name for one of them)
	@$(if $(BENCHMARKS),,echo "bench: there is no program in benchmarks/ yet, so none was run")
	@for name in $(BENCHMARKS); do echo "bench: benchmarks/$$name.py"; $(BIN)/python -m benchmarks.$$name || exit; done

audit: check-locks $(NODE_PACKAGES) $(PEER_PACKAGES) $(AUDIT_PACKAGES) ## compare packages with the lock files, attack the server, run public suites
	@echo "audit: npm packages are those of package-lock.json, none missing, none more"
	@cd web-client && npm ls --all >/dev/null
	@echo "audit: public suites and a fuzzer (benchmarks/suites.py), some minutes"
	@$(BIN)/python -m benchmarks.suites --tools $(AUDIT_VENV); suites=$$?; \
	echo "audit: what honest people notice of attacks (benchmarks/attacks.py), some minutes"; \
	$(BIN)/python -m benchmarks.attacks && exit $$suites

migrate: $(COMMAND) ## bring the database up to the newest migration
	@$(COMMAND) migrate

schema: $(COMMAND) ## print the GraphQL schema into schema/schema.graphql
	@$(COMMAND) schema

lock: $(PACKAGES) ## write the lock files anew (ARGS=--upgrade for the newest versions)
	@echo "lock: requirements.lock, what production installs"
	@$(COMPILE) --universal --generate-hashes -o requirements.lock $(ARGS)
	@echo "lock: requirements-dev.lock, the same and the tools"
	@$(COMPILE) --group dev --universal --generate-hashes -o requirements-dev.lock $(ARGS)
	@echo "lock: requirements-audit.lock, the tools of make audit alone"
	@$(BIN)/uv pip compile --quiet --group audit --universal --generate-hashes -o requirements-audit.lock $(ARGS)
	@for folder in web-client benchmarks/peers; do echo "lock: $$folder/package-lock.json"; \
		(cd $$folder && npm install --package-lock-only --omit-lockfile-registry-resolved \
		--no-audit --no-fund --no-update-notifier) || exit; done

clean: ## remove what make made; the demo data stays
	rm -rf $(VENV) $(AUDIT_VENV) .make web-client/node_modules benchmarks/peers/node_modules web-client/dist web-client/src/gql
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

COMPILE = $(BIN)/uv pip compile --quiet pyproject.toml


# --- What `make check` asks, each also a target of its own -----------------------------------

check-lint: $(COMMAND)
	@echo "check: ruff finds no mistake"
	@$(BIN)/ruff check --quiet

check-format: $(COMMAND)
	@echo "check: ruff would format nothing differently"
	@$(BIN)/ruff format --check --quiet

check-mypy: $(COMMAND)
	@echo "check: mypy --strict"
	@$(BIN)/mypy --no-error-summary

check-pyright: $(COMMAND)
	@echo "check: pyright"
	@$(BIN)/pyright --pythonpath $(BIN)/python

check-imports: $(COMMAND)
	@echo "check: the layers import downwards only"
	@$(BIN)/lint-imports --no-logo

check-schema: $(COMMAND)
	@echo "check: schema/schema.graphql is the schema of the code"
	@$(COMMAND) schema --check

check-migrations: $(COMMAND)
	@echo "check: the migrations build the tables of the models, on a fresh SQLite file"
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	MEETINGS_DATABASE_URL="sqlite+aiosqlite:///$$folder/check.db" $(COMMAND) migrate --check

check-locks: $(COMMAND)
	@echo "check: what is installed satisfies pyproject.toml, and the lock files hold no address"
	@$(BIN)/pip check --disable-pip-version-check
	@! grep -nE '://|"resolved":' requirements.lock requirements-dev.lock requirements-audit.lock
	@! grep -n '"resolved":' web-client/package-lock.json benchmarks/peers/package-lock.json

check-web-client: $(NODE_PACKAGES)
	@echo "check: the web client (npm run check)"
	@cd web-client && npm run --silent check


# --- From a bare checkout to something that runs ----------------------------------------------

PIP_INSTALL = pip install -qq --disable-pip-version-check
WHY = $(if $(wildcard $@),$(firstword $?)$(if $(word 2,$?), and others) changed,for the first time)

$(VENV)/pyvenv.cfg:
	$(call need,$(MISSING_PYTHON)$(MISSING_NODE)$(MISSING_NPM))@echo "install: $(VENV) with $(FOUND_PYTHON)"
	@rm -rf $(VENV) && $(FOUND_PYTHON) -m venv $(VENV)

$(PACKAGES): requirements-dev.lock $(VENV)/pyvenv.cfg
	@echo "install: the locked Python packages, a minute or less ($(WHY))"
	@$(BIN)/python -m $(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@mkdir -p $(@D) && touch $@

$(AUDIT_PACKAGES): requirements-audit.lock $(VENV)/pyvenv.cfg
	@echo "audit: the locked tools, in $(AUDIT_VENV) ($(WHY))"
	@$(BIN)/python -m venv --clear $(AUDIT_VENV)
	@$(AUDIT_VENV)/bin/python -m $(PIP_INSTALL) --require-hashes -r requirements-audit.lock
	@mkdir -p $(@D) && touch $@

# uv-build, one of the locked packages, is a program: pip finds it on the PATH.
$(COMMAND): pyproject.toml $(PACKAGES)
	@echo "install: this project, editable ($(WHY))"
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE_PACKAGES): web-client/package-lock.json
	$(call need,$(MISSING_NODE)$(MISSING_NPM))@echo "install: the locked npm packages ($(WHY))"
	@cd web-client && npm ci --include=dev --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

$(PEER_PACKAGES): benchmarks/peers/package-lock.json
	$(call need,$(MISSING_NODE)$(MISSING_NPM))@echo "bench: the npm packages of the servers to compare with ($(WHY))"
	@cd $(@D)/.. && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

WEB_SOURCES := $(shell find web-client -mindepth 1 \
	\( -name node_modules -o -path web-client/dist -o -path web-client/src/gql -o -path web-client/tests \
	-o -path web-client/browser \) -prune -o -type f -print)

$(WEB_PAGE): $(WEB_SOURCES) schema/schema.graphql $(NODE_PACKAGES)
	@echo "build: the web client ($(WHY))"
	@cd web-client && npm run --silent build


# --- The three tools that must be there --------------------------------------------------------
# Where one is missing, make ends with one line that names it. A Python counts only if it runs:
# version managers leave commands on the PATH that do not.

need = $(if $1,$(error Not found: install $1then run make again))

PYTHONS := $(or $(PYTHON),python3.14 python3.13 python3.12 python3.11 python3)
first_python = $(shell for python in $(PYTHONS); do \
	"$$python" -c 'import sys$1; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
FOUND_PYTHON = $(call first_python,; import ensurepip; import venv)
MISSING_PYTHON = $(if $(FOUND_PYTHON),,$(if $(first_python),$(NO_VENV),$(NO_PYTHON)), )
NO_PYTHON = Python 3.11 or newer (or name one: PYTHON=/path/to/python3)
NO_VENV = the venv module of $(first_python) (Debian: python3-venv)

MISSING_NODE = $(if $(shell node -e '$(NODE_TEST)' 2>/dev/null && echo found),,Node 20.19 or newer, )
NODE_TEST = const [major, minor] = process.versions.node.split(".").map(Number); \
	process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)
MISSING_NPM = $(if $(shell npm --version 2>/dev/null),,npm, )
