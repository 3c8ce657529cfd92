# Two commands are all one needs: `make run` and `make test`. Nothing is assumed but make and Python 3.11 or newer.
.DEFAULT_GOAL := help
.PHONY: help run test lint format messages bench chaos clean
SHELL := /bin/sh
BIN := .venv/bin
INSTALLED := .venv/.installed
# Some images ask Python to write no compiled files; each of our many processes would then compile everything anew and
# start three times as slowly.
export PYTHONDONTWRITEBYTECODE :=

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Settings for make run: PORT=8000 SANDBOX_PORT=9009 WORKERS=2 HELIOGRAPH_DATA=.data; DATABASE_URL and REDIS_URL"
	@echo "  name servers of your own. Pass options to pytest with ARGS, for example: make test ARGS='-k segments -n 0'."

$(INSTALLED): uv.lock pyproject.toml config/launcher/bootstrap.sh
	@config/launcher/bootstrap.sh

run: $(INSTALLED) ## Start everything, with a demo organization and a simulated Twilio; Ctrl-C stops it
	@exec $(BIN)/python -u -m config.launcher --with-parent

test: $(INSTALLED) ## Run the whole suite on real servers and a real browser
	@exec $(BIN)/python -m config.launcher.browser $(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(INSTALLED) ## Check style, types, templates, layers and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/lint-imports
	@$(BIN)/python -m config.launcher.with_servers $(BIN)/mypy
	@$(BIN)/python -m config.launcher.with_servers $(BIN)/python manage.py makemigrations --check --dry-run

format: $(INSTALLED) ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: $(INSTALLED) ## Collect the sentences that visitors read into config/locale, and compile them
	$(BIN)/python -m config.catalogues --missing

bench: $(INSTALLED) ## Measure how many messages a second this machine sends
	@exec $(BIN)/python -m tests.load.bench $(ARGS)

chaos: $(INSTALLED) ## Kill workers and servers while 5,000 messages go out; prints what was lost or doubled
	@exec $(BIN)/python -m tests.chaos.run $(ARGS)

clean: ## Remove caches and built files; the data in .data and the environment .venv stay
	find . -name __pycache__ -type d -not -path './.venv/*' -not -path './.data/*' -prune -exec rm -rf {} +
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis static_collected .coverage
