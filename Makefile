# Two commands on a fresh machine: `make run` and `make test`. Everything lives in .venv.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	--overrides requirements/overrides.txt

.PHONY: run test test-paddle infra-test capacity cluster-test docker-build docker-run docker-build-gpu docker-run-gpu gpu-verify check lint format bench bench-gpu bench-memory bench-pdf bench-long bench-fields bench-order bench-plot bench-tables bench-limits parity footprint fixtures audit lock setup setup-dev clean bench-sandbox hostile fuzz check-alerts docs bench-observability bench-jobs fault-jobs

run: setup  ## start a local Ray cluster and the service; honours HOST, PORT, API_KEY
	@$(BIN)/ocr-serve run

test: setup-dev  ## the whole test suite
	$(BIN)/pytest

test-paddle: .venv-paddle/.ready  ## the Paddle engine, in an environment that has paddlepaddle (CPU)
	.venv-paddle/bin/pytest tests/paddle_engine

INFRA := bootstrap envs/dev envs/prod
infra-test: .venv-infra/.ready .venv-checkov/.ready  ## Terraform, entry points and ports, without AWS (needs terraform)
	@command -v terraform >/dev/null || { echo "terraform is not installed: the infrastructure cannot be checked"; exit 1; }
	.venv-infra/bin/pytest tests/infra
	@for folder in $(INFRA); do \
		echo "checkov terraform/$$folder"; \
		.venv-checkov/bin/checkov --skip-download --quiet --compact --framework terraform -d terraform/$$folder \
			|| exit 1; \
	done

capacity: setup-dev  ## simulate the fleets of cluster/capacity/plan.yaml for docs/capacity.md
	PYTHONPATH=cluster $(BIN)/python -m capacity $(ARGS)

cluster-test: setup-dev  ## three Ray nodes in network namespaces, and what may happen to them (needs root)
	$(BIN)/pytest -c tests/cluster/pytest.ini --rootdir tests/cluster tests/cluster

IMAGE ?= ocr-serve
LISTEN ?= 127.0.0.1:8000
DOCKER_RUN = docker run --rm --init --shm-size 4g --ulimit nofile=65536:65536 --stop-timeout 90 -p $(LISTEN):8000 \
	-e API_KEY -e ALLOWED_ORIGINS
docker-build:  ## the image for CPUs: make docker-build [IMAGE=NAME] [WITH_PADDLE=true]
	docker build -f cluster/Dockerfile $(if $(WITH_PADDLE),--build-arg WITH_PADDLE=$(WITH_PADDLE)) -t $(IMAGE):cpu .

docker-run:  ## the service from that image; honours API_KEY, LISTEN=ADDRESS:PORT
	$(DOCKER_RUN) $(IMAGE):cpu

docker-build-gpu:  ## the image for NVIDIA GPUs: make docker-build-gpu PADDLE_WHEEL_INDEX=... [CUDA_IMAGE=...] [PADDLE_VERSION=...]
	@test -n "$(PADDLE_WHEEL_INDEX)" || { echo "PADDLE_WHEEL_INDEX must be set: Paddle's package index for CUDA 12.9"; exit 1; }
	docker build -f cluster/Dockerfile.gpu --build-arg PADDLE_WHEEL_INDEX=$(PADDLE_WHEEL_INDEX) \
		$(if $(CUDA_IMAGE),--build-arg CUDA_IMAGE=$(CUDA_IMAGE)) \
		$(if $(PADDLE_VERSION),--build-arg PADDLE_VERSION=$(PADDLE_VERSION)) -t $(IMAGE):gpu .

docker-run-gpu:  ## the service from that image, on all GPUs of this machine
	$(DOCKER_RUN) --gpus all $(IMAGE):gpu

gpu-verify:  ## whether a running service reads on a GPU: make gpu-verify [URL=http://...], with API_KEY
	@$(PYTHON) cluster/verify_gpu.py $(or $(URL),http://127.0.0.1:8000)

check: lint  ## what CI runs before the tests
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: setup-dev  ## write docs/metrics.md and the dashboard anew from their tables
	$(BIN)/python -m deployments.metric_docs
	$(BIN)/python cluster/observability/make_dashboard.py

check-alerts: setup-dev .promtool/usr/bin/promtool  ## every alert fires in one history and is silent in another
	PROMTOOL=$(or $(shell command -v promtool),$(CURDIR)/.promtool/usr/bin/promtool) \
		$(BIN)/pytest tests/unit/cluster

# Debian's package, unpacked here: nothing is installed, and no rights are needed.
.promtool/usr/bin/promtool:
	@command -v promtool >/dev/null || { \
		mkdir -p .promtool && cd .promtool && apt-get download prometheus && dpkg-deb -x prometheus_*.deb . ; }

audit: setup-dev  ## faults in the code; with ONLINE=1 also known ones of the locked packages (asks PyPI)
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml serve_app deployments configs
	$(if $(ONLINE),$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements/runtime.txt)

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

BENCH ?= tests/fixtures/pages
BENCH_PEERS := .venv-bench-rapidocr/.ready .venv-bench-faster-paddle/.ready
bench: setup-dev $(BENCH_PEERS)  ## the service over HTTP beside its rivals: make bench [BENCH="DIR DIR"]
	PYTHONPATH=tests $(BIN)/python tests/bench/bench.py --images $(BENCH)

GPU_PROFILE ?= gpu-t4
bench-gpu: setup-dev  ## networks and batch sizes on a machine with a GPU (docs/benchmarks.md): make bench-gpu [GPU_PROFILE=gpu-onnx] [BENCH="DIR DIR"]
	PYTHONPATH=tests $(BIN)/python tests/bench/networks.py --profile $(GPU_PROFILE)
	PYTHONPATH=tests $(BIN)/python tests/bench/sweep.py --profile $(GPU_PROFILE) --images $(BENCH)

bench-plot: setup-dev  ## draw the last bench for docs/benchmarks.md
	PYTHONPATH=tests $(BIN)/python tests/bench/plot.py

bench-pdf: setup-dev  ## PDF files with their text layer and without: make bench-pdf EVAL=DIR
	PYTHONPATH=tests $(BIN)/python tests/bench/pdfs.py --eval "$(EVAL)"

bench-long: setup-dev  ## PDF files of 50, 200 and 500 pages: first page, rate, memory
	PYTHONPATH=tests $(BIN)/python tests/bench/long_pdf.py

bench-tables: setup-dev .venv-bench-rapidocr/.ready  ## the cells of tables beside RapidTable's: make bench-tables EVAL=DIR
	PYTHONPATH=tests $(BIN)/python tests/bench/table_bench.py --eval "$(EVAL)"

bench-order: setup-dev  ## the order in which blocks are read: make bench-order [EVAL=DIR]
	PYTHONPATH=tests $(BIN)/python tests/bench/order_bench.py --eval "$(or $(EVAL),tests/fixtures/pages/structure)"

bench-fields: setup-dev  ## fields found without a network, and their confidence: make bench-fields EVAL=DIR [ARGS=--calibration]
	PYTHONPATH=tests $(BIN)/python tests/bench/fields_bench.py --eval "$(EVAL)" $(ARGS)

bench-memory: setup-dev  ## memory of each replica over 1,000 requests: make bench-memory [BENCH="DIR DIR"]
	PYTHONPATH=tests $(BIN)/python tests/bench/memory.py --images $(BENCH)

SMOKE := smoke-ocr smoke-structure smoke-extraction smoke-batch smoke-health
.PHONY: $(SMOKE)
$(SMOKE): smoke-%: setup  ## check a running service: make smoke-ocr [URL=http://127.0.0.1:8000] API_KEY=...
	@URL="$(URL)" $(BIN)/ocr-serve smoke $*

ROUNDS ?= 20
SEED ?= 1
fault-jobs: setup-dev  ## kill parts of the service, or all of it, in the middle of jobs: make fault-jobs [ROUNDS=20] [SEED=1]
	JOBS_FAULT_ROUNDS=$(ROUNDS) JOBS_FAULT_SEED=$(SEED) $(BIN)/pytest -s tests/e2e/test_jobs.py

bench-jobs: setup-dev  ## people beside a job of 1,000 pages: make bench-jobs [ARGS="--pages 1000"]
	PYTHONPATH=tests $(BIN)/python tests/bench/jobs_bench.py $(ARGS)

bench-limits: setup-dev  ## what keys and limits cost a request
	PYTHONPATH=tests $(BIN)/python tests/bench/limits_bench.py

bench-observability: setup-dev  ## throughput with metrics and logs beside without: make bench-observability [BENCH="DIR DIR"] [ARGS=...]
	PYTHONPATH=tests $(BIN)/python tests/bench/observability_bench.py --images $(BENCH) $(ARGS)

parity: setup-dev  ## the service's text beside PaddleOCR's own: make parity EVAL=DIR
	PYTHONPATH=tests $(BIN)/python tests/bench/parity.py --eval "$(EVAL)"

footprint: setup-dev  ## start-up time and memory of the whole tree of processes
	PYTHONPATH=tests $(BIN)/python tests/bench/footprint.py $(ARGS)

bench-sandbox: setup-dev  ## what opening files in processes that can die costs
	PYTHONPATH=tests $(BIN)/python tests/bench/sandbox_bench.py

SEED ?= 1
COUNT ?= 2000
hostile: setup-dev  ## bombs, damaged files and broken requests against the real service: make hostile [SEED=1 COUNT=2000]
	PYTHONPATH=tests $(BIN)/python tests/hostile/run.py --seed $(SEED) --count $(COUNT)

FUZZ ?= 50000
fuzz: setup-dev  ## the API against its OpenAPI document, other requests each time: make fuzz [FUZZ=50000]
	FUZZ_CASES=$(FUZZ) $(BIN)/pytest tests/unit/serve_app/fuzz -s

fixtures: setup-dev  ## render the test documents anew (needs fonts-noto-cjk and fonts-nanum)
	$(BIN)/python tests/fixtures/generate.py

lock: setup-dev  ## resolve the requirement files anew
	$(COMPILE) --upgrade requirements/dev.in -o requirements/dev.txt
	$(COMPILE) -c requirements/dev.txt requirements/runtime.in -o requirements/runtime.txt
	$(COMPILE) -c requirements/dev.txt requirements/paddle-cpu.in -o requirements/paddle-cpu.txt
	$(COMPILE) -c requirements/dev.txt requirements/paddle-gpu.in -o requirements/paddle-gpu.txt
	$(COMPILE) -c requirements/dev.txt requirements/bench/rapidocr.in -o requirements/bench/rapidocr.txt
	$(COMPILE) -c requirements/dev.txt requirements/bench/faster-paddle.in -o requirements/bench/faster-paddle.txt
	$(COMPILE) --upgrade requirements/infra.in -o requirements/infra.txt
	$(COMPILE) --upgrade requirements/checkov.in -o requirements/checkov.txt
	$(COMPILE) --upgrade requirements/uv.in -o requirements/uv.txt

setup: $(VENV)/.runtime

setup-dev: $(VENV)/.dev

$(VENV)/bin/uv: requirements/uv.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed (PYTHON=path/to/python3.11)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

# The overrides are resolved into the lock: `--no-deps` keeps the excluded OpenCV builds out.
$(VENV)/.runtime: $(VENV)/bin/uv requirements/runtime.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements/runtime.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

.venv-paddle/.ready: requirements/paddle-cpu.txt requirements/dev.txt pyproject.toml $(VENV)/bin/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(PYTHON) .venv-paddle
	$(BIN)/uv pip install --quiet --python .venv-paddle/bin/python --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/uv pip install --quiet --python .venv-paddle/bin/python --no-deps --require-hashes \
		-r requirements/paddle-cpu.txt
	$(BIN)/uv pip install --quiet --python .venv-paddle/bin/python --no-deps --no-build-isolation -e .
	@touch $@

.venv-infra/.ready .venv-checkov/.ready: .venv-%/.ready: requirements/%.txt $(VENV)/bin/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(PYTHON) .venv-$*
	$(BIN)/uv pip install --quiet --python .venv-$*/bin/python --no-deps --require-hashes -r $<
	@touch $@

.venv-bench-%/.ready: requirements/bench/%.txt $(VENV)/bin/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(PYTHON) .venv-bench-$*
	$(BIN)/uv pip install --quiet --python .venv-bench-$*/bin/python --no-deps --require-hashes -r $<
	@touch $@

clean:
	rm -rf $(VENV) .venv-paddle .venv-infra .venv-checkov .venv-bench-* .promtool .pytest_cache .mypy_cache .ruff_cache
