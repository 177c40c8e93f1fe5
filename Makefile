# make demo | test | test-all | fuzz | mutants | hostile | lint | format | bench | schema | package
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MEMBERS := schemas installer bundler
# What the demo and the tests call, each with the package of Debian and Ubuntu that has it.
TOOLS := git:git tar:tar zstd:zstd unzip:unzip ssh-keygen:openssh-client unshare:util-linux

.PHONY: tools demo test test-all test-ends faults fuzz mutants hostile lint format bench schema requirements package clean

demo: $(READY)
	sh examples/numpy-pytest/demo.sh $(abspath $(BIN))

# All that starts reads compiled modules, and nothing is compiled more than once.
test: $(READY)
	unset PYTHONDONTWRITEBYTECODE; \
	$(BIN)/python -m compileall -q $(MEMBERS:%=%/src) tests && \
	$(BIN)/python -m pytest -n auto $(TESTS)

# The suite on every interpreter from 3.10 on that this machine has, and on the newest all of it.
test-all:
	sh tests/every_python.sh

# The same on the oldest and the newest of them.
test-ends:
	sh tests/every_python.sh --ends

# Every fault at every system call that changes files, in every scenario: an hour or two.
faults: $(READY)
	PYTHONPATH=tests $(BIN)/python -m faults.exhaustive
	PYTHONPATH=tests $(BIN)/python -m faults.other_installers

# Changed bytes into every parser of foreign bytes, for a minute in all.
fuzz: $(READY)
	$(BIN)/python tests/fuzz/fuzzing.py 60

# How many small changes of the code that checks foreign bytes the tests notice: an hour or so.
# make mutants MODULES="-v archive" tells which of one module they do not.
mutants: $(READY)
	VIRTUAL_ENV=$(abspath $(VENV)) PYTHONPATH=tests \
	  $(BIN)/uv run --quiet --no-project --with mutmut==3.8.1 python -m mutation.mutants $(MODULES)

# How many hostile inputs pip, uv and wheelferry accept.
hostile: $(READY)
	$(BIN)/python benchmarks/hostile_input.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python schemas/generate_schema.py --check
	$(BIN)/python bundler/lock_installer.py --check

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)
	$(BIN)/python benchmarks/bench.py
	$(BIN)/python benchmarks/bench.py --set pure
	$(BIN)/python benchmarks/selection.py
	$(BIN)/python benchmarks/matrix.py
	$(BIN)/python -m benchmarks.scaling

schema: $(READY)
	$(BIN)/python schemas/generate_schema.py

# The development environment, pinned anew, by hashes alone.
requirements: $(READY)
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.10 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url requirements-dev.in -o requirements-dev.txt
	$(BIN)/python bundler/lock_installer.py

# Wheels and source archives of all distributions, in dist/.
package: $(READY)
	$(BIN)/uv build --all-packages --offline --no-build-isolation --python $(BIN)/python --out-dir dist --clear

# Names all that is missing before anything is begun.
tools:
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

clean:
	rm -rf $(VENV) dist
