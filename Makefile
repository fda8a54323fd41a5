# Two commands: `make run` measures the fields of the default configuration, `make test` runs every test.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: env run test docs clean

env: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

run: env
	$(BIN)/snakemake --cores all

test: env
	$(BIN)/python -m pytest -n auto --dist loadfile

docs: env
	$(BIN)/python -m clumpscope.documentation

clean:
	rm -rf results .snakemake
