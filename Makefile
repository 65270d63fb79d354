# Credit record bus. Everything lives in this folder: tools in .tools, the environment in .venv, the lab in .lab.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?=
FIRST = $(or $(PYTHON),python3)
# the Python to install into: the one given, else the fastest build that is here
CHOSEN = $(or $(PYTHON),$$(python3 deploy/choose_python.py))
BIN := .venv/bin
PYTEST_ARGS ?=
BESIDE := --dist loadscope

.PHONY: help setup run down test unit lint format chaos bench docs clean lock another-python

help: ## List the targets
	@grep -hE "^[a-z0-9-]+:.*## " $(MAKEFILE_LIST) | awk -F ":.*## " '{printf "  %-10s %s\n", $$1, $$2}'

.tools/bin/uv:
	@echo "· installing uv into .tools"
	@$(FIRST) -m venv .tools >/dev/null 2>&1 && .tools/bin/python -m pip install --quiet --disable-pip-version-check uv \
	  || (rm -rf .tools && mkdir -p .tools/bin && ln -s "$$(command -v uv)" .tools/bin/uv 2>/dev/null) \
	  || (rm -rf .tools && $(FIRST) -m pip install --quiet --disable-pip-version-check --target .tools uv) \
	  || (rm -rf .tools && echo "✗ uv could not be installed: $(FIRST) needs its venv or pip (Debian, Ubuntu: apt install python3-venv), or put uv on the PATH" && exit 1)

.venv/.ready: requirements.lock pyproject.toml $(wildcard native/*.toml native/*/*.py*) | .tools/bin/uv
	@echo "· installing the locked dependencies into .venv (once, a minute or so)"
	@python="$(CHOSEN)" && .tools/bin/uv venv --quiet --clear --python "$$python" .venv
	@.tools/bin/uv pip sync --python $(BIN)/python requirements.lock
	@.tools/bin/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@CC=$${CC:-cc} .tools/bin/uv pip install --quiet --python $(BIN)/python ./native >.venv/native.log 2>&1 \
	  || echo "· no C compiler or no headers of Python (.venv/native.log): Avro is read in Python, which is slower"
	@echo "$(PYTHON)" > .venv/.asked-for
	@touch $@

ifneq ($(PYTHON),)
ifneq ($(PYTHON),$(shell cat .venv/.asked-for 2>/dev/null))
.venv/.ready: another-python
endif
endif

setup: .venv/.ready ## Install what everything else needs (done by the other targets on demand)

run: .venv/.ready ## Start the whole stack, play the scenario, say what to open
	@$(BIN)/creditbus up --detach
	@$(BIN)/creditbus scenario hohhot

down: .venv/.ready ## Stop the stack
	@$(BIN)/creditbus down

lint: .venv/.ready ## Style, types and import contracts; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy

format: .venv/.ready ## Repair style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

unit: .venv/.ready ## The fast tests alone
	@$(BIN)/pytest -n 2 $(BESIDE) tests/unit tests/schemas -m "not integration" $(PYTEST_ARGS)

test: .venv/.ready lint ## Everything: lint, then all tests on real Kafka, registry and ClickHouse engine
	@$(BIN)/pytest -n 3 $(BESIDE) $(PYTEST_ARGS)

chaos: .venv/.ready ## Kill everything, for long
	@CREDITBUS_TEST_PROFILE=exhaustive $(BIN)/pytest tests/chaos $(PYTEST_ARGS)

bench: .venv/.ready ## Measure; prints a table and writes bench/results
	@$(BIN)/python -m bench

lock: .tools/bin/uv ## Write requirements.lock anew from pyproject.toml
	@.tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras --group dev \
	  --no-header pyproject.toml -o requirements.lock

clean: ## Remove everything that was made here (stops the stack first)
	@test ! -x $(BIN)/creditbus || $(BIN)/creditbus down || true
	@rm -rf .venv .tools .lab .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
