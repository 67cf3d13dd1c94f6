# make demo    install into .venv, then `tenfold fit` on scikit-learn's bundled digits
# make test    install, then lint, types and the whole suite
# make check   lint and types alone
# make bench   the benchmarks (they need the real data; see benchmarks/README.md)

PYTHON ?= python3
BIN := .venv/bin
# Where PyTorch's builds without CUDA come from, if not from the default index (see README): TORCH_INDEX=<address>
TORCH := torch==2.13.0 $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test check bench clean

demo: .venv/demo
	$(BIN)/tenfold fit digits

test: .venv/test check
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/test
	for file in benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

# The pinned torch comes first: whatever lets pip choose one pulls gigabytes of CUDA.
.venv/demo: pyproject.toml constraints.txt hatch_build.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) 'pip>=25.1'
	$(INSTALL) -c constraints.txt $(TORCH)
	$(INSTALL) -c constraints.txt -e .
	touch $@

.venv/test: .venv/demo
	$(INSTALL) -c constraints.txt --group dev
	touch $@

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
