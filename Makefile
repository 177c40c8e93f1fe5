# `make help` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_VENV ?= .venv-docs
DOCS_READY := $(DOCS_VENV)/.ready
BENCH_VENV ?= .venv-bench
BENCH_READY := $(BENCH_VENV)/.ready
MEMBERS := schemas installer bundler
# What the demo and the tests call, each with the package of Debian and Ubuntu that has it.
TOOLS := git:git tar:tar zstd:zstd unzip:unzip ssh-keygen:openssh-client unshare:util-linux

DAILY := dev lint format test test-all docs package bench demo
LONG := test-ends fuzz mutants faults hostile plots public-api schema requirements tools clean

.PHONY: help $(DAILY) $(LONG)

help: ## list the targets
	@for target in $(DAILY) "" $(LONG); do \
	  if [ -z "$$target" ]; then echo; fi; \
	  sed -n "s/^$$target:.*## \(.*\)/$$target|\1/p" Makefile; \
	done | awk -F '|' 'NF == 0 { print } NF > 0 { printf "make %-14s%s\n", $$1, $$2 }'

dev: $(READY) ## set up .venv with everything that development takes

demo: $(READY) ## lock, bundle and install an example where there is no network
	sh examples/numpy-pytest/demo.sh $(abspath $(BIN))

# All that starts reads compiled modules, and nothing is compiled more than once.
test: $(READY) ## run the tests
	unset PYTHONDONTWRITEBYTECODE; \
	$(BIN)/python -m compileall -q $(MEMBERS:%=%/src) tests && \
	$(BIN)/python -m pytest -n auto $(TESTS)

# The suite on every interpreter from 3.10 on that this machine has, and on the newest all of it.
test-all: ## run all tests on every Python of this machine
	sh tests/every_python.sh

# The same on the oldest and the newest of them.
test-ends: ## run the tests on the oldest and the newest Python
	sh tests/every_python.sh --ends

# Every fault at every system call that changes files, in every scenario: an hour or two.
faults: $(READY) ## fail every system call that changes files, in every scenario: 1 to 2 hours
	PYTHONPATH=tests $(BIN)/python -m faults.exhaustive
	PYTHONPATH=tests $(BIN)/python -m faults.other_installers

# Changed bytes into every parser of foreign bytes, for a minute in all.
fuzz: $(READY) ## feed changed bytes to every parser of foreign bytes, for a minute
	$(BIN)/python tests/fuzz/fuzzing.py 60

# How many small changes of the code that checks foreign bytes the tests notice: an hour or so.
# make mutants MODULES="-v archive" tells which of one module they do not.
mutants: $(READY) ## change the code that checks foreign bytes; count what tests notice: 1 hour
	VIRTUAL_ENV=$(abspath $(VENV)) PYTHONPATH=tests \
	  $(BIN)/uv run --quiet --no-project --with mutmut==3.8.1 python -m mutation.mutants $(MODULES)

# How many hostile inputs pip, uv and wheelferry accept.
hostile: $(READY) ## count the hostile inputs that pip, uv and wheelferry accept
	$(BIN)/python -m benchmarks.hostile_input --record hostile
	$(BIN)/python -m benchmarks.results

# The site, from docs/ and the docstrings of what is public; it asks no other machine for anything.
docs: $(DOCS_READY) ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --quiet --strict

lint: $(READY) ## check style, types, layers and generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python schemas/generate_schema.py --check
	$(BIN)/python bundler/generate_settings.py --check
	$(BIN)/python bundler/lock_installer.py --check
	$(BIN)/python -m benchmarks.results --check

format: $(READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Some 20 minutes on a quiet machine; what else runs there meanwhile shows in the figures.
bench: $(READY) $(BENCH_READY) ## measure against uv, pip and tar
	unset PYTHONDONTWRITEBYTECODE; \
	$(BIN)/python -m benchmarks.comparison --record full && \
	$(BIN)/python -m benchmarks.comparison --set pure --record pure && \
	$(BIN)/python -m benchmarks.selection --record selection && \
	$(BIN)/python -m benchmarks.matrix --record matrix && \
	$(BIN)/python -m benchmarks.scaling --runs 2 --record scaling
	$(MAKE) --no-print-directory plots

plots: $(READY) $(BENCH_READY) ## write tables and plots of what was measured last
	$(BIN)/python -m benchmarks.results
	$(BENCH_VENV)/bin/python -m benchmarks.plots

public-api: $(READY) ## list the names and signatures of the Python API
	PYTHONPATH=tests $(BIN)/python tests/contract/public_api.py

schema: $(READY) ## generate the JSON schema of the manifest
	$(BIN)/python schemas/generate_schema.py
	$(BIN)/python bundler/generate_settings.py

# The development environment, pinned anew, by hashes alone.
requirements: $(READY) ## pin the requirements anew
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.10 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.10 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url -c requirements-dev.txt docs/requirements.in -o docs/requirements.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.10 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url benchmarks/requirements.in -o benchmarks/requirements.txt
	$(BIN)/python bundler/lock_installer.py

# Wheels and source archives of all distributions, in dist/.
package: $(READY) ## build the distributions into dist/
	$(BIN)/uv build --all-packages --offline --no-build-isolation --python $(BIN)/python --out-dir dist --clear

# Names all that is missing before anything is begun.
tools: ## name the programs that this host lacks
	@missing=; \
	for tool in $(TOOLS); do \
	  command -v "$${tool%:*}" > /dev/null || missing="$$missing $${tool#*:}"; \
	done; \
	if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2> /dev/null; then \
	  echo "error: $(PYTHON) is not Python 3.10 or newer (if another one is: make PYTHON=python3.12)" >&2; \
	  missing="$$missing python3 python3-venv"; \
	elif ! $(PYTHON) -c 'import ensurepip, venv' 2> /dev/null; then \
	  missing="$$missing python3-venv"; \
	fi; \
	if [ -n "$$missing" ]; then \
	  echo "error: what demo and tests need is missing:$$missing" >&2; \
	  echo "hint: on Debian and Ubuntu: apt-get install$$missing" >&2; exit 2; \
	fi

$(READY): requirements-dev.txt $(MEMBERS:%=%/pyproject.toml) | tools
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(MEMBERS:%=-e %)
	touch $@

$(DOCS_READY): docs/requirements.txt $(MEMBERS:%=%/pyproject.toml) | tools
	$(PYTHON) -m venv --clear $(DOCS_VENV)
	$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.txt
	$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(MEMBERS:%=-e %)
	touch $@

# What draws is not in the development environment.
$(BENCH_READY): benchmarks/requirements.txt | tools
	$(PYTHON) -m venv --clear $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

clean: ## remove environments and what was built
	rm -rf $(VENV) $(DOCS_VENV) $(BENCH_VENV) dist site
