# The contract: every target sets up .venv by itself and is fast when nothing changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: demo test format lint types docs accessible picture benchmarks default-detector photographs-only-detector \
	left-out sdaie learnt-weights results ablation comparison tags clean container-check

$(VENV)/core: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[demo]'
	touch $@

$(VENV)/dev: $(VENV)/core
	$(PIP) --editable '.[demo,dev,ray,serve,train]'
	touch $@

demo: $(VENV)/core  ## judge real images that come inside packages; writes build/demo/report.html
	$(BIN)/python -m exiface.apps.demo build/demo

# Debian's chromium, and axe-core, for the page's tests, where they can be had; tests that lack them
# are skipped, and say so.
$(VENV)/browser: $(VENV)/dev
	command -v chromium-headless-shell >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& timeout 60 apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -qq -y --no-install-recommends chromium-headless-shell >/dev/null; } \
		|| command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
		|| echo 'no chromium: the tests of the page will be skipped (apt-get install chromium-headless-shell)'
	npm install --silent --no-audit --no-fund --prefix $(VENV)/axe axe-core@4 \
		|| echo 'no npm, or no network: axe-core will not read the page (npm install --prefix $(VENV)/axe axe-core)'
	touch $@

test: lint types $(VENV)/browser  ## lint, types, tests
	OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist worksteal

format: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/dev
	$(BIN)/mypy

# All pages anew: the search would forget those that haven't changed.
docs: $(VENV)/dev  ## the site, pages and API with one search: build/docs/index.html; a broken link fails
	$(BIN)/sphinx-build --fresh-env --write-all --quiet --fail-on-warning --keep-going docs build/docs
	@echo "site: build/docs/index.html"

accessible: docs $(VENV)/browser  ## axe-core reads each page of the site: WCAG 2 A and AA; minutes
	$(BIN)/python -m docs.axe build/docs

picture: $(VENV)/browser  ## the picture of the page in the README
	$(BIN)/python -m docs.picture docs/page.png

benchmarks: $(VENV)/dev  ## speed, as ratios; rewrites results/{speed,bilevel,mixture,fdf,bulk,service}.csv
	$(BIN)/python -m benchmarks.run results/speed.csv
	$(BIN)/python -m benchmarks.bilevel results/bilevel.csv
	$(BIN)/python -m benchmarks.mixture results/mixture.csv
	$(BIN)/python -m benchmarks.fdf results/fdf.csv
	$(BIN)/python -m benchmarks.bulk results/bulk.csv
	$(BIN)/python -m benchmarks.service results/service.csv

# DATA: the folder that holds camera_faces/, faces_of_both/, bench_dev/ and the others.
left-out: $(VENV)/dev  ## what the default recipe finds of what it hasn't seen: results/left-out*.csv
	PATH="$(abspath $(BIN)):$$PATH" bash configs/prepare.sh '$(DATA)'
	PATH="$(abspath $(BIN)):$$PATH" bash -c '. configs/start.sh'
	test -f runs/turns/all.parquet || $(BIN)/python results/turns.py runs/turns
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python results/left_out.py '$(DATA)'

default-detector: $(VENV)/dev  ## both detectors that know generators, after `left-out`; two hours on two cores
	DATA='$(DATA)' PATH="$(abspath $(BIN)):$$PATH" bash configs/default-detector.sh

photographs-only-detector: $(VENV)/dev  ## train, fit and calibrate the one that saw photographs only
	DATA='$(DATA)' PATH="$(abspath $(BIN)):$$PATH" bash configs/photographs-only.sh

sdaie: $(VENV)/dev  ## SDAIE's encoder on two cores, an hour: results/sdaie.csv
	PATH="$(abspath $(BIN)):$$PATH" bash configs/prepare.sh '$(DATA)' images
	$(BIN)/exiface train --data runs/data/whole_camera_native.parquet --config sdaie-small \
		--output runs/sdaie
	$(BIN)/python results/sdaie.py '$(DATA)' results/sdaie.csv

learnt-weights: $(VENV)/dev  ## loss weights that learn against fixed ones: results/learnt-weights*.csv
	PATH="$(abspath $(BIN)):$$PATH" bash configs/prepare.sh '$(DATA)'
	PATH="$(abspath $(BIN)):$$PATH" bash -c '. configs/start.sh'
	$(BIN)/python results/learnt_weights.py '$(DATA)' results/learnt-weights.csv

results: $(VENV)/dev  ## tables that README and docs quote, and checks what they quote
	DATA='$(DATA)' PATH="$(abspath $(BIN)):$$PATH" bash results/figures.sh

ablation: $(VENV)/dev  ## what was tried for photographs-only: results/photographs-only-ablation.csv
	$(BIN)/python results/ablation.py '$(DATA)' results/photographs-only-ablation.csv

comparison: $(VENV)/dev  ## photographs-only beside others: results/comparison.csv
	$(BIN)/exiface train --data runs/photographs-only/manifest.parquet --config published \
		--set epochs=5 --set validate_epochs=6 --set batch_size=64 --set learning_rate=1e-4 \
		--set precision=bfloat16 --set max_faces_per_photo=4 --set max_faces_per_camera=80 \
		--output runs/resnet50
	$(BIN)/python results/comparison.py '$(DATA)' results/comparison.csv

tags: $(VENV)/dev  ## how well it ranks tags on unseen groups: results/photographs-only-tags.csv
	$(BIN)/python results/tags.py results/photographs-only-tags.csv

container-check:  ## build the container, start it, judge a picture; without an engine, in a bare environment
	PYTHON='$(PYTHON)' bash deploy/check.sh

clean:
	rm -rf $(VENV) build
