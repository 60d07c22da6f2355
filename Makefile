# Everything works on a machine with nothing set up: tools/setup.sh makes .venv and installs what is missing.
PYTHON = .venv/bin/python
SECONDS ?= 300
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: demo test lint bench fuzz vectors setup clean

demo: ## print a sliced model on the simulated printer
	@tools/setup.sh run
	@$(PYTHON) -m tools.demo

test: lint ## the whole test suite
	$(PYTHON) -m pytest -q -n 2

lint: setup
	$(PYTHON) -m ruff check .
	$(PYTHON) -m pyright

setup:
	@tools/setup.sh test

bench: setup ## speed and memory, as JSON in build/bench/; KLIPPER=DIR, a checkout built by hand, compares with it
	KLIPPER="$(KLIPPER)" $(PYTHON) -m bench

fuzz: setup ## fuzzers for longer, this many seconds each: make fuzz SECONDS=600
	native/fuzz/run.sh $(SECONDS)
	FUZZ_SECONDS=$(SECONDS) $(PYTHON) -m pytest -q tests/fuzz

vectors: setup ## slice large models into build/vectors/ (needs prusa-slicer and cura-engine)
	$(PYTHON) -m tools.vectors

clean:
	rm -rf build .venv node_modules native/_printwright*
