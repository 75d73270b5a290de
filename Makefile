# The commands of this project; `make` alone lists them. Only Python 3.11, 3.12 or 3.13, git and make are needed.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install lock images demo demo-check run manage test test-browser screenshots chromium test-proxies proxies check lint conformance bench chaos hostile peers check-long

PURPOSE ?= test
ARGS ?=
WORKERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
PYTEST = $(BIN)/python -m local run --purpose $(PURPOSE) --workers $(WORKERS) -- $(BIN)/python -m pytest

# A run is some twenty processes, each of which would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

# The newest Python that answers: a version manager's shim may be on PATH without a Python behind it.
ifndef PYTHON
PYTHON := $(shell for name in python3.13 python3.12 python3.11 python3; do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 \
	&& command -v "$$name" && break; done)
endif

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## Create .venv and install what is locked; nothing to do when nothing changed
	@if [ -z "$(PYTHON)" ] && [ ! -x $(BIN)/python ]; then \
		echo "Python 3.11, 3.12 or 3.13 is needed and none was found; name one: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi
	@wanted=$$( { echo "$(CURDIR)"; cat requirements-dev.txt; } | cksum ); \
	[ -x $(BIN)/python ] && [ "$$(cat $(STAMP) 2>/dev/null)" = "$$wanted" ] && exit 0; \
	set -e; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		echo "Creating $(VENV) with $(PYTHON)"; \
		"$(PYTHON)" -m venv --clear $(VENV) || { \
			echo "Creating $(VENV) failed: this Python lacks venv (Debian: apt install python3-venv)" >&2; \
			exit 1; }; \
	fi; \
	echo "Installing the locked packages into $(VENV) (a minute or two, once)"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt; \
	echo "$$wanted" > $(STAMP)

lock: install ## Compile requirements*.in into requirements*.txt, with hashes (ARGS=--upgrade)
	@$(BIN)/python -m local.lock $(ARGS)

images: install ## Put today's digest behind the tag of every image of Dockerfile and compose.yaml
	@$(BIN)/python -m local.image_digests

demo: install ## Hub, a CPO, two eMSPs and an SCSP, simulated on this machine; Ctrl-C stops all
	@$(BIN)/python -m local demo $(ARGS)

demo-check: install ## The same, bounded in time: has everybody what is theirs, do the books balance?
	@$(BIN)/python -m local demo --check $(ARGS)

run: install ## The hub alone: web, worker and beat, against your servers or embedded ones
	@$(BIN)/python -m local serve $(ARGS)

# PURPOSE counts only when it is given: its default is that of the tests.
manage: install ## A command beside a hub of make run or make demo (ARGS="platforms"; ARGS=--help lists them)
	@$(BIN)/python -m local manage $(if $(filter file,$(origin PURPOSE)),,--purpose $(PURPOSE)) -- $(ARGS)

# What whole processes do is tested last and alone, unless ARGS pick: some is a matter of time.
test: install ## All tests (ARGS="-k words" picks; PURPOSE=test2 runs beside another run)
	@$(PYTEST) -n auto --dist loadfile --no-loadscope-reorder $(if $(strip $(ARGS)),$(ARGS),--ignore tests/e2e)
	@$(if $(strip $(ARGS)),,$(PYTEST) tests/e2e)

test-browser: install chromium ## The console in a real browser (Debian's Chromium, installed when absent)
	@$(BIN)/python -m local run --purpose browser -- $(BIN)/python -m pytest tests/browser --need-chromium $(ARGS)

test-proxies: install proxies ## nginx and Caddy as docs/install/ has them, before a real hub (installed when absent)
	@$(BIN)/python -m local run --purpose proxies -- $(BIN)/python -m pytest tests/proxies --need-proxies $(ARGS)

screenshots: ARGS = --screenshots docs/images -k pictures
screenshots: test-browser ## Take the pictures of docs/images anew

chromium:
	@command -v chromium >/dev/null && exit 0; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "The tests in a browser need Chromium as \`chromium\` on PATH (Debian: apt install chromium)" >&2; \
		exit 1; \
	fi; \
	echo "Installing Debian's Chromium"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium

# RUNLEVEL=1: the packages start no service on this machine.
proxies:
	@command -v nginx >/dev/null && command -v caddy >/dev/null && exit 0; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "The tests of the proxies need \`nginx\` and \`caddy\` on PATH (Debian: apt install nginx-light caddy)" >&2; \
		exit 1; \
	fi; \
	echo "Installing Debian's nginx and Caddy"; \
	apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends nginx-light caddy

conformance: install ## The tests that prove an ID of the conformance checklist, per chapter
	@$(BIN)/python -m local run --purpose $(PURPOSE) -- $(BIN)/python -m tests.conformance $(ARGS)

bench: install ## Measure, each figure beside its limit (ARGS=scale: more processes, a large hub; ARGS=budget: CPU by layer)
	@$(BIN)/python -m local run --purpose bench -- $(BIN)/python -m bench $(ARGS)

chaos: install ## Kill, stop and cut what can be, under load (SEED=7 repeats; ROUNDS=5, SECONDS=60, RATE=600)
	@$(BIN)/python -m local run --purpose chaos -- $(BIN)/python -m tests.e2e.chaos \
		$(addprefix --seed=,$(SEED)) $(addprefix --rounds=,$(ROUNDS)) $(addprefix --seconds=,$(SECONDS)) \
		$(addprefix --rate=,$(RATE))

hostile: install ## Replay hostile inputs of every entry point (SEED=7 repeats; INPUTS=100000)
	@$(BIN)/python -m local run --purpose hostile -- $(BIN)/python -m tests.hostile \
		$(addprefix --seed=,$(SEED)) $(addprefix --inputs=,$(INPUTS))

peers: install ## Other people's OCPI software against a fresh hub: who is wrong (PEERS=name=folder; ARGS=py-ocpi)
	@$(BIN)/python -m local run --purpose peers -- $(BIN)/python -m tests.peers $(ARGS)

lint: install ## Format, lint, types, import contracts, migrations, Django's own checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run --settings settings.test
	$(BIN)/python -m local deploy-check

check: lint test test-proxies ## Everything a change must pass: lint, tests, proxies

check-long: export THOROUGH = 1
check-long: check ## The same with all that can be generated: at night
