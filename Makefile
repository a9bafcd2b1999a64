# Every target that a person runs has its meaning behind `##`; `make help` prints them.
PY ?= python3
BIN := .venv/bin
SHELL := /bin/bash
.DEFAULT_GOAL := help
# What Python has compiled it keeps: tests start hundreds of processes, each of which would compile all of it again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up down compiled sbom test test-compiled faults clients journeys pages charts fuzz check tools lock format bench bench-quick clean soak conformance keycloak

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 16

# The environment. uv is the fast road; pip, which obeys any pip configuration, the one that always exists.
.venv/.ok: pyproject.toml constraints.txt
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Archway needs Python 3.11 or newer; set PY=/path/to/python3.11"; exit 1; }
	@$(PY) -c 'import ensurepip, venv' 2>/dev/null || { echo "python3-venv is missing: apt-get install -y python3-venv"; exit 1; }
	@echo "Installing packages into .venv (about 10 s with uv, 60 s with pip) ..."
	$(PY) -m venv .venv
	$(BIN)/pip install -q uv -c constraints.txt || true
	UV_SYSTEM_CERTS=1 $(BIN)/uv pip install -q --python $(BIN)/python -c constraints.txt -e '.[dev]' \
	  || $(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	@touch $@

up: .venv/.ok ## start everything here: database, Redis, control, proxy and a demo server; prints a URL, a token and a first call
	@$(BIN)/archway up

down: .venv/.ok ## stop what `make up` started
	@$(BIN)/archway down

compiled: .venv/.ok ## compile what nearly every call passes, for workers started from then on; needs a C compiler, two minutes
	@$(BIN)/python tools/compile.py

lock: ## resolve the dependencies again into constraints.txt (no addresses in it), none younger than a week
	UV_SYSTEM_CERTS=1 $(BIN)/uv pip compile --universal --no-header --no-annotate --all-extras --exclude-newer '7 days' pyproject.toml -o constraints.txt -q

sbom: .venv/.ok ## write archway.sbom.json: the Python packages of the image with their versions, as CycloneDX; asks the package index
	@UV_SYSTEM_CERTS=1 $(BIN)/uv pip compile -q --no-header --no-annotate -c constraints.txt --extra control pyproject.toml \
	  | grep -v '^archway' | UV_SYSTEM_CERTS=1 $(BIN)/uv tool run -q --from cyclonedx-bom==7.5.0 \
	    python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --of JSON -o archway.sbom.json -
	@echo "archway.sbom.json is written"

tools: .venv/.ok ## bring what the tests need from npm and further SDK versions into .tools/ (cached)
	@tools/install.sh

test: .venv/.ok tools ## run the tests but for the long ones, those in a browser and those of real clients, without network; print the table of trust rows
	@$(BIN)/pytest -n 3 --dist loadfile --trust-table=test --ignore=tests/bench --ignore=tests/faults --ignore=tests/bridge --ignore=tests/journeys --ignore=tests/docs --ignore=tests/charts --ignore=tests/clients --ignore=tests/house

test-compiled: compiled tools ## run the tests that see a worker from outside once more, on what `make compiled` made; not those of the aiohttp lane, whose own modules are never compiled
	@$(BIN)/python -m pytest -p tests.plugins.compiled_form -n 2 --dist loadfile -k "not aiohttp" tests/proxy tests/edge tests/fuzz tests/up/test_running.py --ignore=tests/fuzz/test_explain_agrees.py

faults: .venv/.ok tools ## run the long tests: whole systems with parts killed, frozen, slow or replaced, or under load; three at a time, since they wait more than they work
	@$(BIN)/pytest -n 3 --dist loadfile --trust-table=faults tests/bench tests/faults tests/bridge

clients: .venv/.ok tools ## let the official SDKs of both eras, Inspector and fastmcp use a gateway; a minute and a half
	@$(BIN)/pytest -n 2 --dist loadfile tests/clients

journeys: .venv/.ok tools ## open the pages in a real browser, as people do; needs Chromium; pictures of every page go to .journeys/
	@$(BIN)/pytest -n 2 --dist loadfile tests/journeys

pages: .venv/.ok tools ## run the code blocks of README and docs/ as a reader would, on one `archway up`
	@$(BIN)/pytest -n 2 --dist loadfile tests/docs

charts: .venv/.ok ## render the Helm chart in many ways and hold it against the schemas of Kubernetes; brings a renderer of 75 MB
	@$(BIN)/python -c 'import helm_python, promql_parser' 2>/dev/null || $(BIN)/pip install -q -c constraints.txt -e '.[charts]'
	@$(BIN)/pytest -n 2 --dist loadfile tests/charts

conformance: .venv/.ok tools ## the official MCP conformance suite against a gateway, both eras; fails beside what is known to
	@$(BIN)/python -m tests.conformance.run

keycloak: .venv/.ok tools ## a real Keycloak: people sign in with it, and it is the provider of a server; needs Java and Maven, a quarter of an hour
	@tools/keycloak.sh
	@$(BIN)/pytest -q -p no:xdist tests/keycloak/trial*.py

FUZZ_SECONDS ?= 300
FUZZED_PARSERS := message header_sentinel event_stream state
fuzz: .venv/.ok ## fuzz the parsers of what strangers send, and hold both lanes, and plans, against each other, each for half of FUZZ_SECONDS with atheris; new inputs go to .fuzz/, see tests/fuzz
	@$(BIN)/pip install -q -c constraints.txt -e '.[fuzz]'
	@mkdir -p .fuzz/new $(FUZZED_PARSERS:%=.fuzz/%)
	@set -e; for parser in $(FUZZED_PARSERS); do \
		$(BIN)/python -m tests.fuzz.fuzz_parsers $$parser -max_total_time=$$(($(FUZZ_SECONDS) / 8 + 1)) \
			-artifact_prefix=.fuzz/$$parser- .fuzz/$$parser tests/fuzz/corpora/$$parser; \
	done
	@$(BIN)/python -m tests.fuzz.fuzz_lanes -max_total_time=$$(($(FUZZ_SECONDS) / 2 + 1)) -artifact_prefix=.fuzz/ .fuzz/new tests/fuzz/corpus

check: .venv/.ok ## lint, format, types, import contracts and the rules of the house
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q tests/house

format: .venv/.ok ## put the sources in their form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## remove the environments and caches; what `make up` keeps in .archway stays
	rm -rf .venv .tools build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .fuzz .compiled .compiled.begun
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

bench: .venv/.ok ## what a governed call costs beside nginx and between the lanes, row by row; 25 minutes, with BENCH_SHORT=1 five
	@$(BIN)/python -m bench.run

bench-quick: .venv/.ok ## what a call costs in user space, by its plan and through all stages: figures that repeat; 30 seconds
	@$(BIN)/python -m bench.in_process --form json --form stream --form legacy
	@$(BIN)/python -m bench.in_process --form json --form stream --form legacy --without-plans

soak: .venv/.ok ## a modest load for HOURS=n (1; fractions too) with changes and restarts; fails if something grows or is lost
	@$(BIN)/python -m tests.soak.run $(or $(HOURS),1)
