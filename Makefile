# Each target installs what it needs into .venv the first time, from the lock files.
#
#   make demo                    place some calls and watch
#   make run ARGS="--seed 7"     ARGS are passed to the command behind the target
#   make test ARGS=tests/core    here they are passed to pytest
#   make test PYTHON=python3.12  choose the interpreter (for a new .venv only)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

ARGS ?=
PYTHON ?=
# Two workers suit the smallest machines. The tests of a file run on one worker, so its expensive set-up runs once.
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Locked packages are installed from wheels only: building one would need build tools that are not locked.
INSTALL := install --require-hashes --only-binary :all:
LINK := install --no-deps --no-build-isolation --editable .
LOCKS := requirements/build.lock requirements/runtime.lock requirements/dev.lock
# Universal: one file for every platform and for Python 3.11 and newer, without the address of any registry.
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-strip-extras --quiet --custom-compile-command "make lock"

# For the oldest and the newest versions that pyproject.toml allows; from wheels only, too.
RESOLVE := $(BIN)/uv pip compile pyproject.toml --all-extras --only-binary :all: --python $(BIN)/python \
	--no-header --no-annotate --quiet

.PHONY: help run demo test test-fast test-long test-lowest test-latest test-examples toolchains fuzz swarm-demo drift-demo cluster-demo check container-check format generated bench bench-page bench-peers wheel editor lock sbom audit clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.runtime  ## serve on 127.0.0.1:4880 (traffic) and :4881 (control)
	@$(BIN)/voice-emulator serve $(ARGS)

demo: $(VENV)/.runtime  ## place calls at all three providers and show every receipt
	@$(BIN)/voice-emulator demo $(ARGS)

# Three tiers. pytest prints the processor time in its last lines; the limit is 60 s for test-fast and 700 s for test.
# test-long has no limit.
PYTEST := $(BIN)/python -m pytest
SPREAD = -n $(WORKERS) --dist loadfile
# The tests that changes break most often.
FAST := tests/core tests/schemas tests/scenarios tests/providers tests/wire tests/client

test: $(VENV)/.dev  ## run all tests that must pass (700 s of processor time)
	@$(PYTEST) $(SPREAD) -m "not long" $(ARGS)

# In one process: starting workers and collecting in each of them would cost 25 % more.
test-fast: $(VENV)/.dev  ## run the tests of core, scenarios, providers, wire and client (a minute)
	@$(PYTEST) -m "not long and not slow" $(FAST) $(ARGS)

test-long: $(VENV)/.dev  ## run long fuzzing and soaks, and ten times as many generated examples
	@$(PYTEST) $(SPREAD) -m "long or hypothesis" --hypothesis-profile long $(ARGS)

# The test tools keep their locked versions, except schemathesis, which needs a new jsonschema-rs.
test-lowest: $(VENV)/.dev  ## run the tests with the oldest versions that pyproject.toml allows
	@$(RESOLVE) --no-deps --resolution lowest-direct -o $(VENV)/lowest-direct.txt
	@cp requirements/dev.lock $(VENV)/lowest.txt
	@$(RESOLVE) --group dev --override $(VENV)/lowest-direct.txt --no-emit-package schemathesis -o $(VENV)/lowest.txt
	@$(call test_in,lowest)

test-latest: $(VENV)/.dev  ## run the tests with the newest versions that pyproject.toml allows
	@$(RESOLVE) --upgrade --group dev -o $(VENV)/latest.txt
	@$(call test_in,latest)

# $(1) names an environment in .venv, and the file beside it that lists its packages. The versions are printed.
test_in = $(BIN)/python -m venv --clear --without-pip $(VENV)/$(1) && \
	$(PIP) --python $(VENV)/$(1)/bin/python install --no-deps --only-binary :all: -r $(VENV)/$(1).txt && \
	$(PIP) --python $(VENV)/$(1)/bin/python $(LINK) && \
	echo "testing with" && sed 's/^/  /; s/ ;.*//' $(VENV)/$(1).txt && \
	$(VENV)/$(1)/bin/python -m pytest $(SPREAD) -m "not long" $(ARGS)

# Languages whose toolchain is not installed are skipped, and named at the end. On Debian they are in the packages
# default-jdk-headless, junit5, php-cli, phpunit, golang-go and nodejs.
test-examples: $(VENV)/.dev  ## run the examples in Python, Java, PHP, Go and JavaScript
	@$(PYTEST) -m "long or not long" tests/test_languages.py $(ARGS)

# Debian's packages.
toolchains:  ## install the languages of make test-examples on Debian, as root
	@apt-get update -qq
	@DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
		default-jdk-headless junit5 php-cli phpunit golang-go nodejs

# Guided by coverage, with atheris, which only some platforms have: see tests/fuzz/guided.py.
fuzz: $(VENV)/.dev  ## fuzz one parser, guided by coverage: make fuzz TARGET=scenario SECONDS=60 (needs atheris)
	@$(BIN)/python -m tests.fuzz.guided $(or $(TARGET),scenario) --seconds $(or $(SECONDS),60) $(ARGS)

swarm-demo: $(VENV)/.dev  ## hunt for the bugs of twelve clients with `voice-emulator swarm` (some minutes)
	@$(BIN)/python -m tests.swarm.demo $(ARGS)

drift-demo: $(VENV)/.dev  ## find twelve differences of an altered provider with `voice-emulator drift`
	@$(BIN)/python -m tests.recording.altered $(ARGS)

# Behind HAProxy where it is installed. Shorter: ARGS="--faults 12 --seconds 60".
cluster-demo: $(VENV)/.dev  ## kill, stop and freeze three replicas while forty customers place batches (ten minutes)
	@$(BIN)/python -m tests.replicas.demo $(ARGS)

check: $(VENV)/.dev  ## check formatting, lint, types, import layers and layout
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.layout

container-check: $(VENV)/.dev  ## run the Dockerfile's steps without a container engine, and lint it
	@$(BIN)/python -m pytest tests/container tests/test_testcontainers.py $(ARGS)

format: $(VENV)/.dev  ## format the code, and fix what the linter can fix
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

generated: $(VENV)/.dev  ## write the generated files: the schema of scenarios, tables of the docs
	@$(BIN)/python -m tests.generated

bench: $(VENV)/.dev  ## run the benchmarks (six minutes); the result names the machine
	@$(BIN)/python -m benchmarks $(ARGS)

bench-peers: $(VENV)/.dev  ## run the same load against other mock servers, if they can be installed
	@$(BIN)/python -m benchmarks peers $(ARGS)

bench-page: $(VENV)/.dev  ## put the results of both into docs/performance.md
	@$(BIN)/python -m benchmarks page

wheel: $(VENV)/.dev  ## build the wheel and the source distribution into dist/
	@$(BIN)/python -m build --no-isolation --outdir dist .

editor:  ## build the page's scenario editor from vendor/codemirror (needs Node.js and the npm registry)
	@cd vendor/codemirror && npm ci --no-audit --no-fund && npm run build

# `make lock LOCK_ARGS=--upgrade` takes the newest versions; plain `make lock` keeps versions that still fit.
# What runs shared instances, the image for example, also has what replicas need: the extra valkey.
lock: $(VENV)/.dev  ## write requirements/*.lock from pyproject.toml
	@$(LOCK) $(LOCK_ARGS) pyproject.toml --all-extras --group dev -o requirements/dev.lock
	@$(LOCK) $(LOCK_ARGS) pyproject.toml --extra valkey -c requirements/dev.lock -o requirements/runtime.lock
	@$(LOCK) $(LOCK_ARGS) --group build -c requirements/dev.lock -o requirements/build.lock
	@$(LOCK) $(LOCK_ARGS) --group installer -o requirements/installer.lock
	@$(LOCK) $(LOCK_ARGS) --group sbom -o requirements/sbom.lock

sbom: $(VENV)/.sbom  ## write dist/sbom.cdx.json, the list of installed packages (CycloneDX)
	@mkdir -p dist
	@$(VENV)/sbom/bin/cyclonedx-py requirements requirements/runtime.lock --pyproject pyproject.toml \
		--mc-type application --output-reproducible --of JSON -o dist/sbom.cdx.json

audit: $(VENV)/.sbom  ## check the locked packages for known vulnerabilities (asks an advisory service)
	@$(VENV)/sbom/bin/pip-audit --strict --disable-pip --require-hashes $(ARGS) -r requirements/runtime.lock

clean:  ## remove everything that make created, including .venv
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache tests/.ruff_cache .import_linter_cache .hypothesis
	find emulator tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps. If a lock file or pyproject.toml is newer, make installs again. Requirements are exact, with hashes.
# The project itself is installed last, as a link to this checkout, built with the locked backend.

$(BIN)/python:
	@found=; for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			found=$$candidate; break; \
		elif [ "$$candidate" = "$(PYTHON)" ]; then \
			echo "PYTHON=$(PYTHON) is not Python 3.11 or newer." >&2; exit 1; \
		fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "voice-emulator needs Python 3.11 or newer. PATH has none: make looked for python3.11, python3.12, python3.13," >&2; \
		echo "python3.14, python3 and python. Install Python, or name it: make PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	echo "creating $(VENV) with $$("$$found" --version)"; \
	rm -rf $(VENV); \
	"$$found" -m venv $(VENV) || { rm -rf $(VENV); echo "This Python cannot create virtual environments. On Debian \
	and Ubuntu, install the package python3-venv." >&2; exit 1; }

# Install pip first: the pip that comes with Python may be years old.
$(VENV)/.installer: requirements/installer.lock | $(BIN)/python
	@$(PIP) $(INSTALL) -r requirements/installer.lock
	@touch $@

$(VENV)/.runtime: pyproject.toml requirements/build.lock requirements/runtime.lock $(VENV)/.installer
	@echo "installing the emulator's packages (about a minute)"
	@$(PIP) $(INSTALL) -r requirements/build.lock -r requirements/runtime.lock
	@$(PIP) $(LINK)
	@touch $@

$(VENV)/.dev: pyproject.toml $(LOCKS) $(VENV)/.installer
	@echo "installing the packages of the emulator and its tests (a minute or two)"
	@$(PIP) $(INSTALL) -r requirements/dev.lock
	@$(PIP) $(LINK)
	@touch $@ $(VENV)/.runtime

# These tools have their own requirements, so they get their own environment.
$(VENV)/.sbom: requirements/sbom.lock $(VENV)/.installer
	@$(BIN)/python -m venv --clear --without-pip $(VENV)/sbom
	@$(PIP) --python $(VENV)/sbom/bin/python $(INSTALL) -r requirements/sbom.lock
	@touch $@
