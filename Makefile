# Every target sets up what it needs: a virtual environment of its own, with the exact pins of requirements.lock.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Without it each worker of the tests would compile every one of them.
unexport PYTHONDONTWRITEBYTECODE
STAMP := $(VENV)/.installed
BENCHED := $(VENV)/.benched
ARGS ?=
# Three workers for two cores, since half of a test is waiting; a file stays with one worker, so that what it starts is
# started once.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 3 / 2)
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile -p tests.longest_first --no-loadscope-reorder

.PHONY: demo test lint check bench serve lock clean help

help:
	@echo "make demo [ARGS=--headless]  the whole main job on sample data"
	@echo "make serve                   the desk and the engine, on your configuration"
	@echo "make test                    the tests"
	@echo "make lint                    format, lint, types, house rules"
	@echo "make check                   both: what must hold before a change lands"
	@echo "make bench B=NAME [ARGS=--full]   one benchmark"
	@echo "make lock                    write requirements.lock anew from pyproject.toml"

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# The peers that only benchmarks compare with.
$(BENCHED): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable ".[bench]"
	@touch $@

demo: $(STAMP)
	$(BIN)/pregon demo $(ARGS)

serve: $(STAMP)
	$(BIN)/pregon serve $(ARGS)

test: $(STAMP)
	$(PYTEST) $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

bench: $(BENCHED)
	$(BIN)/python benchmarks/$(B).py $(ARGS)

lock:
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --editable ".[dev]"
	build/lock/bin/python -m pip freeze --exclude-editable | sort -f > requirements.lock
	rm -rf build/lock

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
