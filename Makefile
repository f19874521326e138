# Two commands matter: `make demo` and `make test`. Both first install what is missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: help install demo test lint bench proof clean
.DEFAULT_GOAL := help

export PATH := $(CURDIR)/.tools/bin:$(PATH)
CORES ?= $(shell nproc)

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

install: ## the tools and Python packages, where they are missing
	@envs/install.sh

demo: install ## simulate two persons and run them to sealed, checked submissions, in demo/
	python tests/simulate/make_demo.py --out demo
	snakemake --profile profiles/default --cores $(CORES) --configfile demo/config.yaml --directory demo

test: install ## unit and integration tests
	@envs/install.sh browser
	pytest -ra

lint: install ## formats and style
	ruff check
	ruff format --check
	snakefmt --check Snakefile rules
	python tests/simulate/make_demo.py --out demo
	snakemake --lint --configfile demo/config.yaml --directory demo

bench: install ## cost of runs, callers compared; the report goes to stdout
	python tests/bench/bench.py
	python tests/bench/report.py
	python tests/bench/callers.py

proof: demo ## the checker's proofs at full length; the report goes to stdout
	python tests/proof/proof.py --demo demo

clean: ## the demo, without the tools
	@if [ -e demo ]; then chmod -R u+w demo; rm -rf demo; fi
