.DEFAULT_GOAL := help
.PHONY: help demo test soak check bench format lock install clean

bin := .venv/bin
# Compiled modules are kept, whatever the shell says: the suite starts many processes.
export PYTHONDONTWRITEBYTECODE :=
# Most tests wait for servers and clocks: two of them to a core keep it busy.
workers := $(shell echo $$((2 * $$(nproc))))

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/ready  ## chat across a local Slack and a local Teams; prints the address
	@exec $(bin)/atom demo

test: .venv/ready  ## run the tests; T=path runs some of them
	@.ci/servers
	$(bin)/pytest $(or $(T),-n $(workers) --dist loadfile --no-loadscope-reorder)

soak: .venv/ready  ## let random people and faults loose; MINUTES=n, SEED=n repeats one
	@.ci/servers
	$(bin)/python -m tests.soak $(if $(SEED),--seed $(SEED),--minutes $(or $(MINUTES),5))

check: .venv/ready  ## look at the format, the style, the types and the imports
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports --no-logo

bench: .venv/ready  ## measure ATOM beside bare servers, on this machine
	@.ci/servers
	$(bin)/python -m tests.load.bench
	$(bin)/python -m tests.load.profiles
	$(bin)/python -m tests.load.pipeline
	$(bin)/python -m tests.load.exporting
	$(bin)/python -m tests.load.policy
	$(bin)/python -m tests.load.directory_ldap
	$(bin)/python -m tests.load.directory_samba
	$(bin)/python -m tests.load.scanning
	$(bin)/python -m tests.load.records
	for database in sqlite postgresql; do home=$$(mktemp -d); \
		$(bin)/python -m tests.load.searching --database $$database --home $$home; \
		rm -r $$home; done

format: .venv/ready  ## rewrite the code to the house format
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

lock:  ## write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --python-version 3.11 --group dev --no-header --no-annotate \
		--output-file requirements.lock pyproject.toml

install: .venv/ready  ## set up .venv; the other commands do it by themselves

clean:  ## remove .venv and what the tools leave behind, but no data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf .coverage* htmlcov build dist *.egg-info

.venv/ready: requirements.lock pyproject.toml .ci/setup
	@.ci/setup
