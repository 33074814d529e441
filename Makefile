# Everything here sets itself up in .venv on first use, from the lock files, and is quick after that.
#
#   make demo                    see it work
#   make run ARGS="--seed 7"     ARGS goes to the command behind the target
#   make test ARGS=tests/core    likewise: pytest's arguments
#   make test PYTHON=python3.12  choose the interpreter (for a new .venv only)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

ARGS ?=
PYTHON ?=
# Two workers suit the smallest machines we run on; a file's tests run on one of them, so its costly set-up runs once.
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# What is locked is installed from wheels alone: building one would bring in build tools that nobody has locked.
INSTALL := install --require-hashes --only-binary :all:
LINK := install --no-deps --no-build-isolation --editable .
LOCKS := requirements/build.lock requirements/runtime.lock requirements/dev.lock
# Universal: one file for every platform and Python from 3.11 on. No address of any registry goes in.
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-strip-extras --quiet --custom-compile-command "make lock"

# For the two ends of what pyproject.toml allows; wheels alone here too.
RESOLVE := $(BIN)/uv pip compile pyproject.toml --all-extras --only-binary :all: --python $(BIN)/python \
	--no-header --no-annotate --quiet

.PHONY: help run demo test test-fast test-long test-lowest test-latest fuzz check container-check format bench bench-peers wheel lock sbom audit clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.runtime  ## serve on 127.0.0.1:4880 (traffic) and :4881 (control)
	@$(BIN)/voice-emulator serve $(ARGS)

demo: $(VENV)/.runtime  ## place calls at all three providers and show every receipt
	@$(BIN)/voice-emulator demo $(ARGS)

# Three tiers, each with a bound on the processor time that pytest sums up in its last lines:
# 60 s for test-fast and 700 s for test; test-long may take what it takes.
PYTEST := $(BIN)/python -m pytest
SPREAD = -n $(WORKERS) --dist loadfile
# What a change breaks first: the core, loading, the providers, the wire and the client.
FAST := tests/core tests/schemas tests/scenarios tests/providers tests/wire tests/client

test: $(VENV)/.dev  ## run everything that must hold
	@$(PYTEST) $(SPREAD) -m "not long" $(ARGS)

# In one process: to start workers and to collect in each would cost a quarter as much again.
test-fast: $(VENV)/.dev  ## the inner loop: the core, loading, providers, wire and client, in a minute
	@$(PYTEST) -m "not long and not slow" $(FAST) $(ARGS)

test-long: $(VENV)/.dev  ## long fuzzing, soaks and long forms, and ten times as many examples everywhere
	@$(PYTEST) $(SPREAD) -m "long or hypothesis" --hypothesis-profile long $(ARGS)

# The tools of the tests stay as they are locked, but for one that cannot do without a new jsonschema-rs.
test-lowest: $(VENV)/.dev  ## run the tests with the oldest versions that pyproject.toml allows
	@$(RESOLVE) --no-deps --resolution lowest-direct -o $(VENV)/lowest-direct.txt
	@cp requirements/dev.lock $(VENV)/lowest.txt
	@$(RESOLVE) --group dev --override $(VENV)/lowest-direct.txt --no-emit-package schemathesis -o $(VENV)/lowest.txt
	@$(call test_in,lowest)

test-latest: $(VENV)/.dev  ## run the tests with the newest versions that pyproject.toml allows
	@$(RESOLVE) --upgrade --group dev -o $(VENV)/latest.txt
	@$(call test_in,latest)

# $(1) names an environment below .venv, and beside it the file of what goes in; its versions are shown.
test_in = $(BIN)/python -m venv --clear --without-pip $(VENV)/$(1) && \
	$(PIP) --python $(VENV)/$(1)/bin/python install --no-deps --only-binary :all: -r $(VENV)/$(1).txt && \
	$(PIP) --python $(VENV)/$(1)/bin/python $(LINK) && \
	echo "testing with" && sed 's/^/  /; s/ ;.*//' $(VENV)/$(1).txt && \
	$(VENV)/$(1)/bin/python -m pytest $(SPREAD) -m "not long" $(ARGS)

# What takes long, or needs servers that not every machine has.
# Coverage-guided, for as long as one likes, with what only some platforms have: see tests/fuzz/guided.py.
fuzz: $(VENV)/.dev  ## fuzz one parser, guided by coverage: make fuzz TARGET=scenario SECONDS=60 (needs atheris)
	@$(BIN)/python -m tests.fuzz.guided $(or $(TARGET),scenario) --seconds $(or $(SECONDS),60) $(ARGS)

check: $(VENV)/.dev  ## formatting, lint, types, import layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

container-check: $(VENV)/.dev  ## carry out the Dockerfile's steps without an engine, and lint it
	@$(BIN)/python -m pytest tests/container tests/test_testcontainers.py $(ARGS)

format: $(VENV)/.dev  ## put the formatting right, and what lint can repair by itself
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev  ## measure; the numbers come with the machine they were taken on
	@$(BIN)/python -m benchmarks $(ARGS)

bench-peers: $(VENV)/.dev  ## the same load at other mock servers, as far as they can be installed here
	@$(BIN)/python -m benchmarks peers $(ARGS)

wheel: $(VENV)/.dev  ## build the wheel and the source distribution into dist/
	@$(BIN)/python -m build --no-isolation --outdir dist .

# `make lock LOCK_ARGS=--upgrade` takes the newest versions, plain `make lock` keeps what still fits.
lock: $(VENV)/.dev  ## write requirements/*.lock anew from pyproject.toml
	@$(LOCK) $(LOCK_ARGS) pyproject.toml --all-extras --group dev -o requirements/dev.lock
	@$(LOCK) $(LOCK_ARGS) pyproject.toml -c requirements/dev.lock -o requirements/runtime.lock
	@$(LOCK) $(LOCK_ARGS) --group build -c requirements/dev.lock -o requirements/build.lock
	@$(LOCK) $(LOCK_ARGS) --group installer -o requirements/installer.lock
	@$(LOCK) $(LOCK_ARGS) --group sbom -o requirements/sbom.lock

sbom: $(VENV)/.sbom  ## write dist/sbom.cdx.json: what an installation consists of (CycloneDX)
	@mkdir -p dist
	@$(VENV)/sbom/bin/cyclonedx-py requirements requirements/runtime.lock --pyproject pyproject.toml \
		--mc-type application --output-reproducible --of JSON -o dist/sbom.cdx.json

audit: $(VENV)/.sbom  ## look for known vulnerabilities in what is locked (asks an advisory service)
	@$(VENV)/sbom/bin/pip-audit --strict --disable-pip --require-hashes $(ARGS) -r requirements/runtime.lock

clean:  ## remove what make has made, .venv included
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache tests/.ruff_cache .import_linter_cache .hypothesis
	find emulator tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps. A lock file or pyproject.toml that is newer installs again; requirements are exact, with hashes.
# The project itself goes in last, as a link to this checkout, built by the locked backend.

$(BIN)/python:
	@found=; for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			found=$$candidate; break; \
		elif [ "$$candidate" = "$(PYTHON)" ]; then \
			echo "PYTHON=$(PYTHON) is no Python 3.11 or newer." >&2; exit 1; \
		fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "voice-emulator needs Python 3.11 or newer, and none of python3.11, python3.12, python3.13, python3.14," >&2; \
		echo "python3 and python on the PATH is one. Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	echo "making $(VENV) with $$("$$found" --version)"; \
	rm -rf $(VENV); \
	"$$found" -m venv $(VENV) || { rm -rf $(VENV); echo "That Python cannot make virtual environments: on Debian \
	and Ubuntu its package python3-venv is missing." >&2; exit 1; }

# The installer before all else: the one that a Python comes with may be years old.
$(VENV)/.installer: requirements/installer.lock | $(BIN)/python
	@$(PIP) $(INSTALL) -r requirements/installer.lock
	@touch $@

$(VENV)/.runtime: pyproject.toml requirements/build.lock requirements/runtime.lock $(VENV)/.installer
	@echo "installing what the emulator needs"
	@$(PIP) $(INSTALL) -r requirements/build.lock -r requirements/runtime.lock
	@$(PIP) $(LINK)
	@touch $@

$(VENV)/.dev: pyproject.toml $(LOCKS) $(VENV)/.installer
	@echo "installing what the emulator and its tests need"
	@$(PIP) $(INSTALL) -r requirements/dev.lock
	@$(PIP) $(LINK)
	@touch $@ $(VENV)/.runtime

# A tool with requirements of its own, so in an environment of its own.
$(VENV)/.sbom: requirements/sbom.lock $(VENV)/.installer
	@$(BIN)/python -m venv --clear --without-pip $(VENV)/sbom
	@$(PIP) --python $(VENV)/sbom/bin/python $(INSTALL) -r requirements/sbom.lock
	@touch $@
