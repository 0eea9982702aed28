# Every target calls a command in a line or two, so that nothing lives here only.
# `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RAW ?= data/raw
OUT ?= data/shards
RESULTS ?= results
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Tests start commands by the hundred; each would compile our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-browser test-faults test-slow check lint typecheck coverage bench prep-vqa prep-coco prep-retrieval leaderboard regress clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

# Markers stand for finished installs; they are made anew when the packaging changes.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable . && touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[test,dev]' && touch $@ $(VENV)/.base

setup: | $(VENV)/bin/python ## install everything, torch and transformers too, into .venv
	$(PIP) --editable '.[models,fetch,remote,ray,test,dev]' && touch $(VENV)/.base $(VENV)/.test

SAMPLE := data/sample
ONVQA = $(BIN)/vle-eval vqa --data $(SAMPLE)/shards --dataset vqav2 --split val --results $(RESULTS)
ONVCR = $(BIN)/vle-eval vcr --annotations $(SAMPLE)/raw/vcr/val.jsonl --split val --results $(RESULTS)
ONCOCO = $(BIN)/vle-eval retrieval --texts $(SAMPLE)/raw/coco/annotations/dataset_coco.json --split test --results $(RESULTS)

demo: $(VENV)/.base ## the whole path on the sample world: raw files, shards, scores, leaderboard
	$(BIN)/vle-prep sample --out $(SAMPLE)/raw
	$(BIN)/vle-prep run vqav2 --raw $(SAMPLE)/raw --out $(SAMPLE)/shards
	$(ONVQA) --model baseline:prior >/dev/null
	$(ONVQA) --model baseline:annotator >/dev/null
	$(ONVQA) --model baseline:oracle --vocabulary $(SAMPLE)/shards/vqav2/answers/answer2label.json >/dev/null
	for model in constant shortest noisy-oracle; do $(ONVCR) --model baseline:$$model >/dev/null || exit $$?; done
	for model in constant shortest noisy-oracle; do $(ONCOCO) --model baseline:$$model >/dev/null || exit $$?; done
	$(BIN)/vle-eval leaderboard --results $(RESULTS) --most 4
	$(BIN)/vle-eval leaderboard --results $(RESULTS) --format html --data $(SAMPLE)/shards --out $(RESULTS)/leaderboard.html
	$(BIN)/vle-eval leaderboard --results $(RESULTS) --out $(RESULTS)/leaderboard.md

test: $(VENV)/.test ## run all tests, doctests and coverage included
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=

test-faults: $(VENV)/.test ## kill preparation at every change of disk or store, and look what is left
	$(BIN)/python -m pytest -m slow tests/data_prep/test_prep_faults.py tests/data_prep/remote

test-slow: $(VENV)/.test ## run the longer trials too
	$(BIN)/python -m pytest -m 'not fuzz'

.PHONY: fuzz
fuzz: $(VENV)/.test ## 10,000 damaged files for each reader of the scorers: refused with a word, or scored right
	$(BIN)/python -m pytest --numprocesses 2 -m fuzz tests/eval/fuzz

test-browser: $(VENV)/.test ## look at the pages in a headless Chromium; fails where there is none
	VLE_BENCH_REQUIRE_BROWSER=1 $(BIN)/python -m pytest tests/data_prep/prepared tests/eval/leaderboard -k browser

check: lint typecheck coverage ## format, lint, types, and the coverage floor of the last `make test`

lint: $(VENV)/.test ## ruff: format and rules
	$(BIN)/ruff format --check . && $(BIN)/ruff check .

typecheck: $(VENV)/.test ## mypy --strict on an installed copy
	rm -rf build && $(PIP) --no-deps --target build/typed . && cd build/typed && ../../$(BIN)/mypy --config-file ../../pyproject.toml vle_bench

coverage: $(VENV)/.test
	$(BIN)/python -m tests.coverage_floor

bench: $(VENV)/.bench ## all ratios against peers and floors, within one run
	$(BIN)/python -m bench

# The peers of the benchmarks; without one its contest says so and goes on.
$(VENV)/.bench: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[test,dev,bench]' && touch $@ $(VENV)/.base $(VENV)/.test

.PHONY: bench-prep bench-eval
bench-prep: $(VENV)/.bench ## those of data preparation; results are kept in bench/results
	$(BIN)/python -m bench prep

bench-eval: $(VENV)/.bench ## those of scoring, likewise; ONLY=retrieval-whole ranks 100,000 by 500,000
	$(BIN)/python -m bench eval $(if $(ONLY),--only $(ONLY))

prep-vqa: $(VENV)/.base ## VQAv2 from RAW to shards in OUT; the sample world where RAW is empty
	$(BIN)/vle-prep run vqav2 --raw $(RAW) --out $(OUT) --or-sample data/sample

prep-coco: $(VENV)/.base ## COCO, as Karpathy splits it, likewise
	$(BIN)/vle-prep run coco --raw $(RAW) --out $(OUT) --or-sample data/sample

prep-retrieval: $(VENV)/.base ## COCO (Karpathy), Flickr30k and Flickr30k-CN in turn, likewise
	for name in coco flickr30k flickr30k-cn; do $(BIN)/vle-prep run $$name --raw $(RAW) --out $(OUT) --or-sample data/sample || exit $$?; done

.PHONY: prep-vcr prep-vg prep-cc3m prep-sbu
prep-vcr: $(VENV)/.base ## VCR, likewise
	$(BIN)/vle-prep run vcr --raw $(RAW) --out $(OUT) --or-sample data/sample

prep-vg: $(VENV)/.base ## Visual Genome, likewise
	$(BIN)/vle-prep run vg --raw $(RAW) --out $(OUT) --or-sample data/sample

prep-cc3m: $(VENV)/.base ## CC3M with the pictures that were downloaded, likewise
	$(BIN)/vle-prep run cc3m --raw $(RAW) --out $(OUT) --or-sample data/sample

prep-sbu: $(VENV)/.base ## SBU with the pictures that were downloaded, likewise
	$(BIN)/vle-prep run sbu --raw $(RAW) --out $(OUT) --or-sample data/sample

leaderboard: $(VENV)/.base ## stored results beside the published scores
	$(BIN)/vle-eval leaderboard --results $(RESULTS)

regress: $(VENV)/.base ## the gate: golden cases, pins, tables, published rows; GATE='DIR --junit FILE' adds
	$(BIN)/vle-eval check --strict $(GATE)

clean: ## remove what tests and builds leave behind; data and results stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
