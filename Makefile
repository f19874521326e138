# Two commands matter: `make demo` and `make test`. Both first install what is missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: help install offline-bundle demo test lint bench proof clean
.DEFAULT_GOAL := help

export PATH := $(CURDIR)/.tools/bin:$(PATH)
CORES ?= $(shell nproc)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

install: ## the tools and Python packages, where they are missing; BUNDLE=folder: without network
	@envs/install.sh

offline-bundle: ## one archive with the release and all it needs, for a site without network
	@envs/install.sh --bundle

demo: install ## simulate two persons and two tumours and run them to sealed, checked submissions, in demo/
	python tests/simulate/make_demo.py --out demo
	snakemake --profile profiles/default --cores $(CORES) --configfile demo/config.yaml --directory demo

test: ## unit and integration tests
	@envs/install.sh test
	pytest -ra --numprocesses 2 --dist loadfile --no-loadscope-reorder # the long tests, of runs, come first

lint: install ## formats and style
	ruff check
	ruff format --check
	snakefmt --check Snakefile rules
	python tests/simulate/make_demo.py --out demo
	snakemake --lint --configfile demo/config.yaml --directory demo

bench: ## cost of runs, of a large run, callers compared, a cluster; the report goes to stdout
	@envs/install.sh test
	python tests/bench/bench.py
	python tests/bench/report.py
	python tests/bench/peers.py
	python tests/bench/callers.py
	python tests/slurm/scale.py

proof: demo ## the checker's proofs at full length, a whole run on Slurm; the report goes to stdout
	@envs/install.sh proof
	python tests/proof/proof.py --demo demo
	pytest -ra -m proof

clean: ## the demo, without the tools
	@if [ -e demo ]; then chmod -R u+w demo; rm -rf demo; fi
