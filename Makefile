# Two commands: `make app` serves the app, `make test` runs every check. Both set up what they need.

PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: app test language ray format screenshots models stories sentences article efficiency
.PHONY: example benchmark clean

app: $(VENV)/app.done
	$(BIN)/streamlit run app.py --server.port=$(PORT)

test: $(VENV)/test.done node_modules/.done
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m tests

ray: $(VENV)/test.done
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-ray.txt
	$(BIN)/python -m pytest -q tests/models/test_corpus_ray.py

language: $(VENV)/test.done
	$(BIN)/python -m docs.language

format: $(VENV)/test.done node_modules/.done
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	npx --no-install biome check --write

screenshots: $(VENV)/test.done
	$(BIN)/python -m docs.screenshots

models: $(VENV)/test.done
	$(BIN)/python -m docs.parity

stories: $(VENV)/test.done
	OMP_NUM_THREADS=1 $(BIN)/python -m docs.stories

explained: $(VENV)/test.done
	OMP_NUM_THREADS=1 $(BIN)/python -m docs.explained_stories

article: $(VENV)/test.done
	$(BIN)/python -m docs.article

sentences: $(VENV)/test.done
	$(BIN)/python -m docs.sentences

efficiency: $(VENV)/test.done
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m docs.efficiency

example: $(VENV)/app.done
	$(BIN)/python -c "from explorer.sources.stored import store_first_example as s; s()"

benchmark: $(VENV)/test.done benchmarks/node_modules/.done
	$(BIN)/python -m tests.chromium
	$(BIN)/python -m benchmarks

$(VENV)/app.done: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/test.done: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/app.done

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# package.json pins exact versions; a lock file would name the builds of one platform only.
node_modules/.done: package.json | $(VENV)/test.done
	npm install --no-package-lock --no-audit --no-fund --loglevel=error
	touch $@

benchmarks/node_modules/.done: benchmarks/package.json benchmarks/requirements.txt | $(VENV)/test.done
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	npm install --prefix benchmarks --no-package-lock --no-audit --no-fund --loglevel=error
	touch $@

clean:
	rm -rf $(VENV) node_modules benchmarks/node_modules
