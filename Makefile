# make demo and make test need python3, make and git; all else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal -q

.PHONY: help demo test check format snapshots torture fuzz monkey soak bench-ui bench-poll bench-download clean

help:
	@echo "make demo       the dashboard on a simulated API"
	@echo "make test       all tests"
	@echo "make torture    kill -9, faults and full disks by the hundred; prints figures, takes some minutes"
	@echo "make fuzz       5,000 mutated answers of the API against the running engine (FUZZ_ARGS='--n 100000')"
	@echo "make monkey     a minute of random keys, clicks, pastes and sizes (VIVIX_MONKEY_S=600)"
	@echo "make soak       the program on a terminal against a stormy API for 10 minutes (SOAK_ARGS='--minutes 60')"
	@echo "make check      format, lint, types, import directions, tests with coverage"
	@echo "make snapshots  rewrite the pictures in snapshots/"
	@echo "make format     format the code"
	@echo "make bench-ui   start, keys, thrift of the dashboard, beside other terminal programs"
	@echo "make bench-poll how late an end is learnt of, and at what price (BENCH_ARGS=--quick: a minute)"
	@echo "make bench-download  a large file over loopback, beside curl, wget and aria2"

demo: $(VENV)/.ready-run
	@$(BIN)/vivix-tui demo

test: $(VENV)/.ready-dev
	$(PYTEST) $(PYTEST_ARGS)

torture: $(VENV)/.ready-dev
	@$(BIN)/python -m tests.torture $(TORTURE_ARGS)

fuzz: $(VENV)/.ready-dev
	@$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

monkey: $(VENV)/.ready-dev
	VIVIX_MONKEY_S=$${VIVIX_MONKEY_S:-60} VIVIX_MONKEY_SEED=$${VIVIX_MONKEY_SEED:-$$(date +%s)} \
	  $(BIN)/python -m pytest -q tests/ui/test_ui_monkey.py

soak: $(VENV)/.ready-dev
	@$(BIN)/python -m tests.torture.soak $(SOAK_ARGS)

check: $(VENV)/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory test PYTEST_ARGS="--cov --cov-report="
	@echo "coverage of domain, api, store, engine in per cent (90 is the least):"
	@$(BIN)/coverage report --include='vivix_tui/domain/*,vivix_tui/api/*,vivix_tui/store/*,vivix_tui/engine/*' \
	  --fail-under=90 --format=total

format: $(VENV)/.ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

snapshots: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -q -n auto --snapshot-update tests/ui

bench-ui: $(VENV)/.ready-dev
	$(BIN)/python -m bench.ui $(BENCH_ARGS)

bench-poll: $(VENV)/.ready-dev
	$(BIN)/python -m bench.poll $(BENCH_ARGS)

bench-download: $(VENV)/.ready-dev
	$(BIN)/python -m bench.download $(BENCH_ARGS)

clean:
	rm -rf $(VENV) .bootstrap .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# A python without ensurepip (Debian's, bare) gets virtualenv from a folder of its own.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV) .bootstrap; \
	  $(PYTHON) -m pip install -q --target .bootstrap virtualenv && \
	  PYTHONPATH=.bootstrap $(PYTHON) -m virtualenv -q $(VENV); }

$(VENV)/.ready-run: pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[demo]' && touch $@

$(VENV)/.ready-dev: pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[demo,dev]' && touch $@ $(VENV)/.ready-run
