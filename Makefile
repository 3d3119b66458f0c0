# Aliases only: every target is one command. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup environment up down status stack preview canary promote rollback test mutants check bench proto inventory plans reference release lock format

PYTHON ?= python3
STACK ?= dev
PERCENT ?= 10
VENV_PYTHON := .venv/bin/python
# With the Pulumi CLI that `setup` has found. Not for `setup` itself, which would find its own link.
PULUMI_PYTHON := PATH="$(CURDIR)/.tools/pulumi/bin:$$PATH" $(VENV_PYTHON)
need_environment = @test -x $(VENV_PYTHON) || \
	{ echo "error: there is no environment here yet, so nothing of it runs. Start with: make up" >&2; exit 1; }

help: ## List what can be made
	@sed -nE 's/^([a-z]+):.* ## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## Make the whole environment: .venv from the pins, tools under .tools/
	@$(PYTHON) tools/setup.py

environment: ## Make what `up`, `preview` and `stack` run in, without what tests, checks and benchmarks need
	@$(PYTHON) tools/setup.py --only-run

up: environment ## Bring the whole stack up here and send the first events through it; ARGS="--service-port 9000"
	@$(VENV_PYTHON) -m tools.local_stack up $(ARGS)

down: ## Destroy the local stack and stop everything; PURGE=1 deletes its data too
	$(need_environment)
	@$(VENV_PYTHON) -m tools.local_stack down $(if $(PURGE),--purge)

status: ## Show the endpoints of the local stack as JSON
	$(need_environment)
	@$(VENV_PYTHON) -m tools.local_stack status

stack: environment ## Make a new environment; NAME, PROFILE, PROJECT, REGION, BACKEND, SECRETS: see docs/howto/deploy.md
	@$(PULUMI_PYTHON) -m event_store_infra.new_stack --name "$(NAME)" --profile "$(PROFILE)" --project "$(PROJECT)" \
		--region "$(REGION)" --backend "$(BACKEND)" --secrets "$(SECRETS)"

preview: environment ## Show what `pulumi up` would do, refuse what loses data; STACK=dev, no cloud account needed
	@$(VENV_PYTHON) -m tools.local_stack preview $(STACK) $(ARGS)

canary: environment ## Give the next revision a part of the traffic; STACK=prod PERCENT=10: see docs/howto/deploy.md
	@$(PULUMI_PYTHON) -m event_store_infra.rollout canary --stack $(STACK) --percent $(PERCENT) $(ARGS)

promote: environment ## Give the canary all traffic; STACK=prod, ARGS=--yes to do it at once
	@$(PULUMI_PYTHON) -m event_store_infra.rollout promote --stack $(STACK) $(ARGS)

rollback: environment ## Give the stable revision all traffic; STACK=prod, ARGS=--yes to do it at once
	@$(PULUMI_PYTHON) -m event_store_infra.rollout rollback --stack $(STACK) $(ARGS)

test: setup ## Run every test; ARGS="tests/event_store/outbox -x" for some of them
	@$(VENV_PYTHON) -m pytest $(ARGS)

mutants: setup ## Apply the listed faults in changed code, print those that no test notices; ARGS="--all --jobs 2"
	@$(VENV_PYTHON) -m tools.mutants $(ARGS)

check: setup ## Check format, lint, types, generated code, contract, locks, tracked files and workflows
	@$(VENV_PYTHON) tools/check.py

bench: setup ## Measure the speed as a ratio to the limit of the same PostgreSQL
	@$(PULUMI_PYTHON) -m benchmarks $(ARGS)

proto: setup ## Generate the Python code of the contract
	@$(VENV_PYTHON) tools/contract.py

inventory: setup ## Write the resources of each stack and the local limits to files, for review; draw docs/explanation/infra.md
	@$(VENV_PYTHON) -m tests.event_store_infra.inventory --save
	@$(VENV_PYTHON) -m tests.local_gcp.resource.limits > tests/local_gcp/resource/limits.txt

plans: setup ## Write the engine's plans that test the preview guard; ARGS="--missing" or names
	@$(PULUMI_PYTHON) -m tests.event_store_infra.preview.edits --save $(ARGS)

reference: setup ## Write the pages of every key and of every identity: docs/reference/settings.md, docs/reference/identities.md
	@$(VENV_PYTHON) -m event_store_infra.settings > docs/reference/settings.md
	@$(VENV_PYTHON) -m event_store_infra.identities > docs/reference/identities.md

release: setup ## Build and check the wheels and source distributions in dist/; TAG=1 tags the commit
	@$(VENV_PYTHON) tools/release.py $(if $(TAG),--tag)

lock: ## Pin the dependencies of pyproject.toml; UPGRADE=1 takes the newest
	@$(PYTHON) tools/lock.py $(if $(UPGRADE),--upgrade)

format: setup ## Format the code and apply the linter's safe fixes
	@$(VENV_PYTHON) -m ruff format
	@$(VENV_PYTHON) -m ruff check --fix
