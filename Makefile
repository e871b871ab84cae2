# make demo [VOLUME=scan.nii.gz] · make test · make lint · make package · make setup
.PHONY: setup system demo test lint package

BIN := .venv/bin
INSTALLED := .venv/.installed

setup: system $(INSTALLED)

system:
	@scripts/system-packages.sh

$(INSTALLED): pyproject.toml constraints.txt scripts/setup.sh
	@scripts/setup.sh
	@touch $@

demo: setup
	$(BIN)/napari-metasr demo --output demo-output $(if $(VOLUME),--input "$(VOLUME)")

test: setup
	$(BIN)/python -m pytest $(TESTS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/npe2 validate --imports napari-metasr

package: setup
	scripts/package.sh
