# Set-up and the everyday commands. `make` alone lists them.
#
# Each command first makes .venv ready (a few milliseconds when it is): tools/setup.sh.

SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help chat dev test lint bench bench-convert bench-metrics bench-train lock clean distclean

ifneq ($(words $(CURDIR)),1)
$(error The folder's name "$(CURDIR)" has a space in it, and make cannot work there. Move the folder to a path without spaces)
endif

BIN := .venv/bin
ARGS ?=
GPU ?=
export GPU PYTHON

help:  ## list these commands
	@sed -n 's/^\([a-z-]*\):[a-z ]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'
	@echo
	@echo "  make chat ARGS='--model qwen2.5-1.5b-q4'   passes arguments on"
	@echo "  make chat GPU=cuda                         builds for an NVIDIA card (metal: Apple; cpu: none); remembered"

chat:  ## set up what the app needs, then open it
	@sh tools/setup.sh runtime
	@$(BIN)/tide-chat $(ARGS)

dev:  ## set up everything a developer needs
	@sh tools/setup.sh dev

test:  ## set up, then run all tests
	@sh tools/setup.sh dev
	@$(BIN)/python -m pytest $(ARGS)

lint:  ## set up, then check style, types and import rules
	@sh tools/setup.sh dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench:  ## set up, then measure the app on this computer
	@sh tools/setup.sh runtime
	@$(BIN)/tide-chat bench $(ARGS)

bench-convert:  ## set up, then measure conversion beside llama.cpp's own
	@sh tools/setup.sh dev
	@$(BIN)/python tools/bench_convert.py $(ARGS)

bench-metrics:  ## set up, then measure the metrics beside the reference libraries
	@sh tools/setup.sh dev
	@$(BIN)/python tools/bench_metrics.py $(ARGS)

bench-train:  ## set up, then measure fine-tuning beside TRL's trainer
	@sh tools/setup.sh dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/bench.txt
	@$(BIN)/python tools/bench_train.py $(ARGS)

lock:  ## resolve the pinned versions anew (needs uv)
	@sh tools/lock.sh

clean:  ## remove .venv and what tools left here; the built engine is kept for next time
	rm -rf .venv .setup.lock build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find tide_chat training convert tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## clean, and remove the built engine too
	@case "$$(uname)" in \
	Darwin) kept="$$HOME/Library/Caches/tide-chat/wheels" ;; \
	*) kept="$${XDG_CACHE_HOME:-$$HOME/.cache}/tide-chat/wheels" ;; \
	esac; rm -rf "$$kept" && echo "Removed $$kept"
