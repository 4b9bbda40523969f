# `make demo` and `make test` need Python 3 and make, nothing else; everything else is installed here.
.PHONY: help profiles demo plan-paper paper-small bundle test test-slow fuzz docs lint lock env schemas clean-env
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
UV := $(or $(shell command -v uv 2>/dev/null),$(CURDIR)/.uv/bin/uv)
# Tools must see the environment first on PATH, and nobody else's Python settings. Without its bytecode torch alone
# takes seconds longer to import, in every job.
RUN := env -u PYTHONPATH -u PYTHONHOME -u PYTHONDONTWRITEBYTECODE VIRTUAL_ENV=$(CURDIR)/$(VENV) PATH="$(BIN):$$PATH"

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

env: $(VENV)/.installed ## Install the locked environment into .venv

demo: $(VENV)/.installed ## From nothing to results/report.html: a fitted scaling law
	@echo "The demo: 5,760 rendered images of 16 x 16 pixels, 30 small networks pre-trained, 33 tested on real scans;"
	@echo "about 10 minutes on two idle cores, no download. What is finished stays when it is interrupted."
	$(RUN) snakemake --profile profiles/local --config experiment=config/experiments/demo.yaml \
		--report results/report.html --report-after-run
	@echo "Open results/report.html in a browser; the answer in words is results/laws/demo/advice.md."

# Where Snakemake looks for a profile by its name.
NAMED := $(or $(XDG_CONFIG_HOME),$(HOME)/.config)/snakemake

profiles: ## Let snakemake know the profiles by name: `snakemake --profile slurm`
	@mkdir -p "$(NAMED)"
	@for name in slurm local; do \
		if [ "$$(readlink "$(NAMED)/$$name")" = "$(CURDIR)/profiles/$$name" ]; then continue; fi; \
		if [ -e "$(NAMED)/$$name" ] || [ -L "$(NAMED)/$$name" ]; then \
			echo "make: $(NAMED)/$$name is another profile: move it away, or say --profile profiles/$$name" >&2; exit 2; fi; \
		ln -s "$(CURDIR)/profiles/$$name" "$(NAMED)/$$name"; done

# Together, so that the runs they share are planned once.
PAPER := cross-task full-law model-size million-scale complexity landscapes
comma := ,
space := $() $()
together = --config 'experiments=[$(subst $(space),$(comma),$(1:%="config/experiments/%.yaml"))]'

# The table of jobs alone, which this logger keeps: Snakemake then writes out no job, and plans a quarter faster.
plan-paper: $(VENV)/.installed ## Plan the whole paper: a dry run of all its experiments
	$(RUN) snakemake --dry-run --logger rich --quiet rules progress $(call together,$(PAPER))

# The published figures stand beside ours where their table was fetched (by any published-* experiment).
TABLE = $(shell sed -nE 's/^ *sha256: *([0-9a-f]+).*/\1/p' config/experiments/published-cross-task.yaml)
PUBLISHED = $(if $(wildcard results/measurements/$(TABLE).csv),$(patsubst config/experiments/%.yaml,%, \
	$(wildcard config/experiments/published-*.yaml)))

paper-small: $(VENV)/.installed ## The paper in an afternoon: its six questions on small renders, on two cores
	@sed -nE 's/^name: *//p; s/^cost: */    /p' $(PAPER:%=config/experiments/small/%.yaml)
	@echo "What they share runs once. What is finished stays when it is interrupted."
	$(RUN) snakemake --profile profiles/local $(call together,$(PAPER:%=small/%) $(PUBLISHED)) \
		--report results/paper-small.html --report-after-run
	@echo "Open results/paper-small.html in a browser: it opens with the paper's claims, in results/claims.md too."

EXPERIMENT ?= config/experiments/demo.yaml
NAME = $(shell sed -nE "s/^name: *[\"']?([a-z0-9-]+).*/\1/p" "$(EXPERIMENT)")

bundle: $(VENV)/.installed ## Pack a finished experiment (EXPERIMENT=file): what it is made of, points, fits, report
	@mkdir -p results/reports
	$(RUN) snakemake --report results/reports/$(NAME).html --config experiment=$(EXPERIMENT)
	$(RUN) syn2real bundle $(EXPERIMENT)

test: $(VENV)/.installed ## Run the tests (under 15 minutes on 2 cores)
	$(RUN) python -m pytest -n 2 --dist loadfile -m "not slow"

test-slow: $(VENV)/.installed ## Run the tests that replay whole workflows (under 30 minutes)
	$(RUN) python -m pytest -n 2 --dist loadfile -m slow

MINUTES ?= 10

fuzz: $(VENV)/.installed ## Read damaged files with every reader for MINUTES=10 and print what was found
	cd tests && $(RUN) python -m fuzz --minutes $(MINUTES) --finds ../results/fuzz

lint: $(VENV)/.installed ## Check style, types and imports (the tests run `snakemake --lint`)
	$(RUN) ruff check . && $(RUN) ruff format --check . && $(RUN) mypy && $(RUN) lint-imports

docs: .venv-docs/.installed ## Build the documentation: docs/_build/index.html
	env -u PYTHONPATH -u PYTHONHOME .venv-docs/bin/python -m sphinx --quiet --fail-on-warning --keep-going docs docs/_build
	@echo "Open docs/_build/index.html in a browser."

schemas: $(VENV)/.installed ## Generate workflow/schemas/ from the models
	$(RUN) python -m syn2real.config.schemas

lock: $(UV) ## Resolve envs/ again from pyproject.toml: locks and the conda environments made from them
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras \
		--custom-compile-command "make lock" pyproject.toml -o envs/requirements.txt
	$(PYTHON) envs/conda.py $(UV)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --group docs \
		--constraints envs/requirements.txt --custom-compile-command "make lock" pyproject.toml -o envs/docs.txt
	echo uv | $(UV) pip compile --quiet --universal --python-version 3.8 --generate-hashes \
		--custom-compile-command "make lock" - -o envs/uv.txt

# TORCH=cpu: the lock without PyTorch and CUDA, then PyTorch of the lock's versions as it is built for CPUs. These builds
# come from PyTorch's own index, so the lock has no hashes of them.
TORCH ?=
LOCK := $(if $(filter cpu,$(TORCH)),$(VENV)/without-cuda.txt,envs/requirements.txt)

$(VENV)/without-cuda.txt: envs/requirements.txt
	@mkdir -p $(VENV)
	awk '/^[a-z]/ {left_out = /^(torch|torchvision|triton|nvidia-[^=]*|cuda-[^=]*)==/} !left_out' $< > $@

$(VENV)/.installed: envs/requirements.txt pyproject.toml $(filter $(VENV)/%,$(LOCK)) | $(UV)
	$(UV) venv --quiet --allow-existing --python 3.11 $(VENV)
	$(UV) pip sync --require-hashes --compile-bytecode --python $(BIN)/python $(LOCK)
ifeq ($(TORCH),cpu)
	$(UV) pip install --no-deps --compile-bytecode --torch-backend cpu --python $(BIN)/python \
		$$(sed -nE 's/^((torch|torchvision)==[^ ]+).*/\1/p' envs/requirements.txt)
endif
	$(UV) pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@[ "$(TORCH)" = cpu ] || nvidia-smi --list-gpus >/dev/null 2>&1 || \
		echo "No GPU found: make -B env TORCH=cpu installs PyTorch without CUDA, over 4 GB less."
	@touch $@

.venv-docs/.installed: envs/docs.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python 3.11 .venv-docs
	$(UV) pip sync --quiet --require-hashes --python .venv-docs/bin/python envs/docs.txt
	@touch $@

# Only reached when no uv is on PATH: a private one, from its own hashed lock.
$(CURDIR)/.uv/bin/uv: envs/uv.txt
	@$(PYTHON) -m venv .uv || { rm -rf .uv; \
		echo "make: this Python cannot make a virtual environment; install uv, or your system's python3-venv" >&2; exit 2; }
	.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/uv.txt
	@touch $@

clean-env: ## Remove the environment
	rm -rf $(VENV) .venv-docs .uv
