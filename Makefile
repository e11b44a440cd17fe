# Everything this project does, by name. README.md says what one sees.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LONG   ?= not long
ARGS   ?= -m "$(LONG)"
READY  := $(VENV)/.ready

.PHONY: features conformance conformance-docs test test-kind test-kind-smoke kind lint unit node product-api bench nightly clean lock

features: $(READY)  ## from nothing to a verdict: provisions everything, runs the scenarios
	$(BIN)/pytest features/ -n auto $(ARGS)

conformance: $(READY)  ## the promotion engine held against recordings of Kargo 1.8.4, on real API servers
	$(BIN)/python -m pytest -n 2 --dist=loadfile -p tests.promoter.conformance_table tests/promoter tests/kargo

conformance-docs: $(READY)  ## writes the table of the last `make conformance` into docs/kargo-engine.md
	$(BIN)/python -m tests.promoter.conformance_table

test: lint unit features conformance node product-api test-kind-smoke  ## the scenarios, and all of the project's own tests

lint: $(READY)  ## formatting, style and types, then features, manifests and Kargo resources; no root, no cluster
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m gitops_e2e.lint

ON_DOCKER = $(BIN)/python -m gitops_e2e.clusters.kind $(BIN)/pytest
# A history of their own: what breaks on kind alone is neither flaky nor new on the node.
FEATURES_ON_KIND = $(ON_DOCKER) features/ --cluster kind --reports reports/kind

test-kind: $(READY)  ## the scenarios on kind; where no Docker engine answers, on one of our own
	$(FEATURES_ON_KIND) -n auto $(ARGS)

test-kind-smoke: $(READY)  ## the same for a cluster, the stack and the headline scenario
	$(FEATURES_ON_KIND) -k prod_canary_exceeds_150mb_and_rolls_back

kind: $(READY)  ## tests of the kind provider, with Docker engines and clusters of their own
	$(ON_DOCKER) tests/clusters/kind -m kind

unit: $(READY)  ## fast tests of the engine room; those of the promotion engine are in `conformance`
	$(BIN)/pytest tests -n 2 -m "not node" --ignore=tests/promoter --ignore=tests/kargo

node: $(READY)  ## tests that start real parts on this machine
	$(BIN)/pytest tests -n 2 --dist=loadfile -m "node and not kind and ($(LONG))" --ignore=tests/promoter --ignore=tests/kargo

product-api: $(READY)  ## style, types and tests of the service under test, with a real Redis and Node.js 20
	$(BIN)/python -m gitops_e2e.machine redis-server
	cd product-api && export PATH="$(abspath $(BIN)):$$PATH" && \
	  npm ci --no-audit --no-fund --no-update-notifier && npm run lint && npm test

.PHONY: charts
charts: $(READY)  ## the pinned Helm charts and their values; CHARTS="--bundle DIR" or CHARTS=--pull renders them, too
	@$(BIN)/python -m gitops_e2e.components.charts $(CHARTS)

.PHONY: report
report: $(READY)  ## the pages of the last run anew, from what it recorded: reports/index.html lists all runs
	@$(BIN)/python -m gitops_e2e.report

bench: $(READY)  ## measured figures, one JSON object a line; ONLY=name,name runs some
	@$(BIN)/python -m benchmarks $(ONLY)

.PHONY: mutants mutants-docs
mutants: LONG = long or not long
mutants: $(READY)  ## does the suite notice? Scenarios on a correct pipeline, and on each of the wrong ones in mutants/
	$(BIN)/python -m pytest features/ -p mutants.plugin -n auto --reports reports/mutants $(ARGS)

mutants-docs: $(READY)  ## writes docs/mutants.md anew from the patches
	$(BIN)/python -m mutants.document

NIGHTLY := lint unit features conformance node product-api kind test-kind mutants
nightly: export GITOPS_E2E_KILLS = 50
nightly: export LONG = long or not long
nightly: $(READY)  ## all that takes long, one target after the other; ends with what broke, and since when
	@$(BIN)/python -m gitops_e2e.nightly $(NIGHTLY)

clean: $(READY)  ## sweeps what runs left, this clone's own files, and old parts of the shared cache; ALL=1 all of it
	$(BIN)/python -m gitops_e2e.clean $(if $(ALL),--all)
	rm -rf $(VENV) reports .mypy_cache .ruff_cache .pytest_cache product-api/node_modules product-api/dist

LOCK   := pip-compile --quiet --generate-hashes --strip-extras --no-emit-index-url --no-emit-find-links
ENGINE := gitops_e2e/images/recipes/promoter

lock: $(READY)  ## pins the Python requirements anew from pyproject.toml, and those of the promotion engine's image; UPGRADE=--upgrade raises all
	$(BIN)/$(LOCK) $(UPGRADE) --allow-unsafe --extra dev --extra kind --output-file requirements.txt pyproject.toml
	$(BIN)/$(LOCK) --constraint requirements.txt --output-file $(ENGINE)/requirements.txt $(ENGINE)/requirements.in

$(READY): requirements.txt pyproject.toml
	@echo "making the Python environment in $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "installing Debian packages: python3-venv" >&2; \
	  apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends python3-venv >&2 && $(PYTHON) -m venv $(VENV); }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
