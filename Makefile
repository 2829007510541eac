# The habits of this project. `make help` lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
KEEP   ?=
ONLY   ?=
SHORT  ?=
comma  := ,

.PHONY: help demo test check bench faults lock system-packages format clean
.DELETE_ON_ERROR:

help:
	@echo "make demo             see the poller work on this machine (KEEP=DIR leaves config, keys and database)"
	@echo "make test             set up everything and run the tests"
	@echo "make check            format, lint, types, import contracts, oldest Python of the probe"
	@echo "make bench            measure against peers, in one run (benchmarks/; ONLY=probe,polls RUNS=9 MINUTES=10)"
	@echo "make faults           break things on purpose and see what holds (ONLY=H1,H2 SHORT=1)"
	@echo "make system-packages  install the servers the tests talk to (root, Debian-like)"
	@echo "make format lock clean"

# --no-deps: the lock names every package with its hash, nothing is resolved here.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements/demo.txt setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/demo.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/poller demo $(if $(KEEP),--keep $(KEEP))

test: $(VENV)/.dev
	sh tools/system-packages.sh --if-root
	sh tools/test.sh $(BIN)/python

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vermin --quiet --no-tips --violations --target=3.6- remote_probe

bench: $(VENV)/.dev
	sh tools/system-packages.sh --if-root --bench
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(subst $(comma), ,$(ONLY)))

faults: $(VENV)/.dev
	sh tools/system-packages.sh --if-root
	$(BIN)/python -m faults $(if $(ONLY),--only $(ONLY)) $(if $(SHORT),--short)

system-packages:
	sh tools/system-packages.sh --bench

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Resolves once for every supported Python; CI and contributors install exactly this.
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	for set in demo dev; do \
	  $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --output-file requirements/$$set.txt setup.cfg requirements/$$set.in || exit 1; \
	done

clean:
	rm -rf $(VENV) $(VENV)-* build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
