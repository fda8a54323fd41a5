# Two commands: `make run` measures the fields of the default configuration, `make test` runs every test.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: env dev run test torture environments browser slurm inspect screenshots fields docs clean

env: .venv/.ready .venv/.compiled

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# What tests, documentation and style checks need besides.
dev: env .venv/.dev

.venv/.dev: .venv/.ready requirements-dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

# Machine code of the numerical loops: made once here, not by every job of a first run.
.venv/.compiled: .venv/.ready $(wildcard workflow/clumpscope/machine_code.py workflow/clumpscope/*/compiled.py workflow/clumpscope/*/*/compiled.py workflow/clumpscope/*/compiled/*.py)
	$(BIN)/python -m clumpscope.precompile
	touch $@

run: env
	$(BIN)/snakemake --cores all

# Inspection pages of a run, with saving: make inspect CONFIG=my_field.yaml
inspect: env
	$(BIN)/python -m clumpscope inspect $(or $(CONFIG),config/config.yaml)

# The browser that tests open the inspection pages with. Without it these tests are skipped.
browser:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq chromium chromium-driver; \
	else echo "No chromium and chromedriver: the tests of the inspection pages are skipped. Debian: apt-get install chromium chromium-driver" >&2; fi

# The SLURM that tests run the profile on, two nodes on this machine. Without it these tests are skipped.
slurm:
	@if command -v slurmctld >/dev/null && command -v munged >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq slurm-wlm munge; \
	else echo "No slurmctld and munged: the tests of the SLURM profile are skipped. Debian: apt-get install slurm-wlm munge" >&2; fi

# Pictures of the inspection pages and figures for README and docs, of the results of `make run`.
screenshots: dev browser
	$(BIN)/python tests/integration/screenshots.py results mock_cluster docs/images

# One thread a worker: threaded linear algebra would fight over the cores.
test: dev browser slurm
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

# Broken inputs, kills, damaged products, two runs at once: hours; `make torture KILLS=10` for a short one (docs/validation/faults.md).
KILLS ?= 100
torture: dev slurm
	$(BIN)/python tests/robustness/campaign.py --cases 600
	$(BIN)/python tests/integration/torture.py --kills $(KILLS)

# Every rule in an environment of its pins alone, made with pip in place of conda: some minutes, gigabytes.
environments: dev
	$(BIN)/python tests/integration/bare_environments.py build/environments

# The public fields end to end, with small synthetic mosaics from a server on this machine.
fields: dev
	for field in abell2744 smacs0723 elgordo; do $(BIN)/python tests/integration/public_fields.py $$field build/fields/$$field || exit 1; done

# Pages that come from tables of the code, then the site: build/docs/index.html.
docs: dev
	$(BIN)/python -m clumpscope.documentation
	$(BIN)/python -m sphinx -b html -aE -W --keep-going -q -c docs . build/docs

clean:
	rm -rf results .snakemake
