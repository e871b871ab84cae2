# `make` lists the targets.
.PHONY: help setup system demo test lint format bench docs package clean

BIN := .venv/bin
INSTALLED := .venv/.installed
BENCH ?= zoom

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 12

setup: system $(INSTALLED) ## make .venv with pinned versions, install the libraries a virtual screen needs

system: ## install the system libraries that a virtual screen needs, where they are missing
	@scripts/system-packages.sh

$(INSTALLED): pyproject.toml constraints.txt scripts/setup.sh
	@scripts/setup.sh
	@touch $@

demo: setup ## zoom into a sample volume, or into VOLUME=scan.nii.gz
	$(BIN)/napari-metasr demo --output demo-output $(if $(VOLUME),--input "$(VOLUME)")

test: $(INSTALLED) ## run the tests, or TESTS="tests/geometry -k affine"
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(TESTS)

lint: $(INSTALLED) ## check style, spelling, types, import contracts and the napari manifest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/npe2 validate --imports napari-metasr

format: $(INSTALLED) ## format the code and sort its imports
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

bench: $(INSTALLED) ## run benchmarks/zoom.py, or BENCH=volume ARGS=scan.nii.gz
	$(BIN)/python benchmarks/$(BENCH).py $(ARGS)

docs: $(INSTALLED) ## build the documentation site into docs/_build/html
	$(BIN)/python -m sphinx --fail-on-warning --quiet -b html docs docs/_build/html

package: $(INSTALLED) ## build wheel and sdist, and install both into a clean environment
	scripts/package.sh

clean: ## remove what tools and builds leave, except .venv
	rm -rf build dist demo-output docs/_build docs/reference .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src training tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
