# Every command sets up what it needs: the first one creates .venv, the rest find it there.
# Settings: make course PROFILE=laptop JOBS=1, make .venv PYTHON=/path/to/python3.12
# PIP_ARGS are for every package, TORCH_ARGS for torch alone.

SHELL   := /bin/bash
PROFILE ?= smoke
JOBS    ?= 2
PORT    ?= 8888
DEMO_PORT ?= 8866
DIR      = notebooks
PIP_ARGS ?=
TORCH_ARGS ?=
PYTHON  ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell $(p) -c \
	'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 && echo $(p))))

BIN   := .venv/bin
READY := .venv/.ready
PARTS := faces,features,data,notebooks,book,demo,fid,multi,test
PIP   := $(BIN)/python -m pip install --disable-pip-version-check --quiet --no-input $(PIP_ARGS)
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
METADATA  := metadata.papermill metadata.widgets cell.metadata.papermill metadata.language_info.version
STRIP := $(BIN)/nbstripout --keep-id --extra-keys "$(METADATA)"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help .venv course lab demo test book figures student strip mutants bench doctor browser lint format clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z.]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Settings: PROFILE=smoke|laptop|gpu (now $(PROFILE)), JOBS=lessons or test files at a time (now $(JOBS)), DIR=folder of make lab (now $(DIR))"

.venv: $(READY) ## Create .venv with every package at its tested version (nothing to do the second time)

# The stamp is written last, so an interrupted installation is taken up again.
$(READY): constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "facelab needs Python 3.11, 3.12 or 3.13 with its venv module, and none was found on PATH."; \
	  echo "Install one (Debian: apt-get install python3 python3-venv), or name it: make .venv PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v >= (3, 11) or sys.exit("facelab needs Python 3.11 or newer; $(PYTHON) is %d.%d" % v)'
	@echo "Installing into .venv, once: a few minutes and about 2 GB"
	@test -n "$(PIP_ARGS)$(TORCH_ARGS)" -o "$$(uname)" != Linux || echo "(on Linux, where the index offers torch with CUDA, several GB more; README says how to do without)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) $(TORCH_ARGS) -c constraints.txt torch  # before all else: torch decides between a CPU and a CUDA build
	@$(PIP) -c constraints.txt -e ".[$(PARTS)]"
	@touch $@

course: $(READY) ## Execute every lesson, write build/course/summary.json and the HTML book
	@$(BIN)/facelab run --all --profile $(PROFILE) --jobs $(JOBS) --out build/course; lessons=$$?; \
	$(BIN)/facelab book --from build/course --out build/book; book=$$?; \
	exit $$(( lessons ? lessons : book ))

# A login shell, JupyterLab's own choice for its terminals, would forget this PATH and with it the command facelab.
lab: lab-folder $(READY) ## Open the lessons, or another folder (DIR=student), in JupyterLab
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter lab --port $(PORT) $(if $(filter 0,$(shell id -u)),--allow-root) \
	  --ServerApp.terminado_settings="{'shell_command': ['$${SHELL:-/bin/bash}']}" "$(DIR)"

lab-folder:
	@test -d "$(DIR)" || { echo "There is no folder $(DIR) here (make student writes the folder student)"; exit 1; }

test: $(READY) lint browser ## Lint, then run every test, the lessons in smoke included
	@$(BIN)/pytest --numprocesses $(JOBS) --dist loadfile

demo: $(READY) ## Serve the web demo (lesson 11) on this machine
	@$(BIN)/facelab demo --port $(DEMO_PORT)

book: $(READY) ## Bind the lessons executed by make course into build/book
	@$(BIN)/facelab book --from build/course --out build/book

# The figures of the shipped weights on lfw and realmasks need those sets: python -m facelab.show.reference
figures: $(READY) ## Renew the figures of orl: those drawn at once, then those the lessons draw as PROFILE=laptop
	@$(BIN)/python -m facelab.show.curated
	@$(BIN)/facelab run --all --profile $(if $(filter smoke,$(PROFILE)),laptop,$(PROFILE)) --out build/figures
	@find build/figures -regex '.*/[0-9][0-9]_[a-z]*\.\(png\|jpg\)' -exec cp -v {} notebooks/figures/ ';'

student: $(READY) ## Write the lessons without the solutions to student/ (open them: make lab DIR=student)
	@$(BIN)/facelab student --out student

strip: $(READY) ## Remove what running the lessons in place left in them: outputs, counters; your edits stay
	@$(if $(NOTEBOOKS),$(STRIP) $(NOTEBOOKS))

mutants: $(READY) ## Break the library on purpose, one fault at a time; every fault must make a test fail
	@$(BIN)/python tests/mutants.py

bench: $(READY) ## Measure this machine: training step, data, metrics against the plain way
	@$(BIN)/facelab bench

doctor: $(READY) ## Say in plain words what this machine can do, and how to fix what is missing
	@$(BIN)/facelab doctor

browser: ## Install Chromium with apt when root and none is found (for the browser tests)
	@if command -v chromium chromium-browser google-chrome >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium for the browser tests"; \
	  (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium) >/dev/null \
	    || echo "Chromium could not be installed: the browser tests will not run"; \
	else echo "No Chromium here: the browser tests are skipped. To get one: apt-get install chromium"; fi

lint: $(READY) ## ruff, the import contract, and notebooks without outputs
	@$(BIN)/ruff check --quiet --output-format concise .
	@report=$$($(BIN)/lint-imports --no-cache --no-logo 2>&1) || { echo "$$report"; exit 1; }
	@$(if $(NOTEBOOKS),$(STRIP) --verify $(NOTEBOOKS))

format: $(READY) strip ## Format the code, and strip the notebooks' outputs
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## Remove build/ and tool caches; data/, runs/, student/, weights/ and .venv stay
	@rm -rf build .pytest_cache .ruff_cache .hypothesis .import_linter_cache lib/facelab.egg-info
