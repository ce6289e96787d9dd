# The two commands of a newcomer: make quickstart, make test. Everything they need is set up by them.
PYTHON ?= python3
VENV := .venv
TEST := .venv-test
BARE := .venv-bare
PIP_FLAGS := --quiet --disable-pip-version-check
SOURCES := $(shell find classifier training service -type f -not -path '*/__pycache__/*' -not -name '_kernel*' 2>/dev/null)
KERNEL := $(wildcard classifier/text/native/*.[ch]) hatch_build.py

.PHONY: quickstart test test-slow gates test-bare test-lowest test-zig lint format native native-debug constraints clean

quickstart: $(VENV)/.ready
	@$(VENV)/bin/newsdesk quickstart

$(VENV)/.made: pyproject.toml constraints/tested.txt
	@echo "Setting up in $(VENV) …"
	@scripts/make-venv $(VENV) $(PYTHON)
	@touch $@

# Compiles the C kernel into the checkout; without a C compiler pip fetches one for the build.
$(VENV)/.ready: $(VENV)/.made $(KERNEL)
	@$(VENV)/bin/pip install $(PIP_FLAGS) -c constraints/tested.txt -e '.[train,service,formats]'
	@touch $@

# Lint, types, import rules, then the tests against the built wheel, not the checkout.
test: $(TEST)/.ready
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .
	$(TEST)/bin/mypy
	PYTHONPATH=. $(TEST)/bin/lint-imports
	NEWSDESK_INSTALLED=1 $(TEST)/bin/pytest -n auto -m 'not slow'

# What takes minutes: quality gates on real articles (where NEWSDESK_DATA says they are), and other environments.
test-slow: $(TEST)/.ready test-bare test-lowest test-zig
	NEWSDESK_INSTALLED=1 $(TEST)/bin/pytest -n auto -m 'slow and not long' tests/training tests/classifier
	NEWSDESK_INSTALLED=1 $(TEST)/bin/pytest -m 'slow and not long' tests/service tests/benchmarks tests/test_container.py

# Every floor on real articles, those that take too long for each commit included.
gates: $(TEST)/.ready
	NEWSDESK_INSTALLED=1 $(TEST)/bin/pytest -m slow tests/training/test_gates.py

$(TEST)/.deps: pyproject.toml constraints/tested.txt
	@echo "Setting up in $(TEST) …"
	@scripts/make-venv $(TEST) $(PYTHON)
	@needs=$$($(TEST)/bin/python hatch_build.py --requirements) && \
	 $(TEST)/bin/pip install $(PIP_FLAGS) -c constraints/tested.txt build hatchling $$needs
	@$(TEST)/bin/pip install $(PIP_FLAGS) -c constraints/tested.txt --no-build-isolation '.[test]'
	@touch $@

dist/.built: $(SOURCES) $(KERNEL) pyproject.toml README.md $(TEST)/.deps
	@rm -rf dist && $(TEST)/bin/python -m build --wheel --no-isolation --outdir dist . >/dev/null
	@$(TEST)/bin/python hatch_build.py >/dev/null  # what a test starts in this folder finds the checkout first
	@touch $@

$(TEST)/.ready: dist/.built
	@$(TEST)/bin/pip install $(PIP_FLAGS) --no-deps --force-reinstall dist/*.whl
	@touch $@

# Scoring and serving must work where nothing of training's is installed.
test-bare: $(TEST)/.ready
	@scripts/make-venv $(BARE) $(PYTHON)
	@$(BARE)/bin/pip install $(PIP_FLAGS) -c constraints/tested.txt "$$(ls dist/*.whl)[service]"
	$(TEST)/bin/python scripts/check_bare.py $(TEST)/bin/newsdesk $(BARE)/bin/newsdesk

# The lower end of every dependency range, where other libraries are called.
LOWEST := tests/classifier/reading tests/classifier/test_cli.py tests/classifier/test_golden.py tests/classifier/test_model.py \
    tests/classifier/text/test_characters.py tests/service/batch tests/service/test_batch.py tests/service/test_cluster.py tests/service/test_columnar.py \
    tests/service/page/test_*.py tests/service/test_direct.py tests/service/test_fuzz.py tests/service/test_metrics.py tests/service/test_predict.py \
    tests/service/test_rank.py tests/service/test_schemas.py tests/service/test_server.py tests/training/conversion \
    tests/training/report tests/training/test_blocks.py tests/training/test_features.py \
    tests/training/test_fit.py tests/training/test_machines.py tests/training/test_search.py tests/training/test_sections.py \
    tests/training/test_vectorizer.py tests/test_installed.py tests/test_public.py
test-lowest: dist/.built
	@scripts/make-venv .venv-lowest $(PYTHON)
	@.venv-lowest/bin/pip install $(PIP_FLAGS) -c constraints/lowest.txt "$$(ls dist/*.whl)[all]" pytest hypothesis ir-measures markdown-it-py prometheus-client pytest-xdist
	NEWSDESK_INSTALLED=1 .venv-lowest/bin/pytest -n auto -m 'not slow and not newest' -q -W default $(LOWEST)

# The kernel as it is compiled where there is no C compiler.
test-zig:
	@scripts/make-venv .venv-zig $(PYTHON)
	@CC=ziglang .venv-zig/bin/pip install $(PIP_FLAGS) -c constraints/tested.txt '.[all]' pytest hypothesis ir-measures markdown-it-py pytest-xdist
	NEWSDESK_INSTALLED=1 .venv-zig/bin/pytest -n auto -m 'not slow' -q tests/classifier/text tests/classifier/test_golden.py tests/training/test_counting.py \
	    tests/training/test_machines.py tests/test_build.py tests/test_installed.py

lint: $(TEST)/.ready
	$(TEST)/bin/ruff check . && $(TEST)/bin/ruff format --check . && $(TEST)/bin/mypy && PYTHONPATH=. $(TEST)/bin/lint-imports

format: $(TEST)/.deps
	$(TEST)/bin/ruff check --fix . ; $(TEST)/bin/ruff format .

# After an edit of the C files: compiles them in place, for an editable installation.
native:
	@$(PYTHON) hatch_build.py

# The same with sanitizers, beside it; says how to run the tests with it.
native-debug:
	@$(PYTHON) hatch_build.py --debug

# Take up the newest versions that the ranges allow; run the tests before committing.
constraints:
	@scripts/make-venv .venv-constraints $(PYTHON)
	@.venv-constraints/bin/pip install $(PIP_FLAGS) build hatchling '.[test,bench]'
	@{ echo "# The exact versions that CI ran; made by: make constraints"; \
	   .venv-constraints/bin/pip freeze --exclude newsdesk; } > constraints/tested.txt

clean:
	rm -rf $(VENV) $(TEST) $(BARE) .venv-lowest .venv-zig .venv-constraints dist classifier/text/native/_kernel*
