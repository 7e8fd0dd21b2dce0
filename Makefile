# Every target does its own set-up; all that must be there is rustup's toolchain, a C compiler, and python3 for the tests.

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/requirements.stamp
# A virtual environment of its own: MiniStack wants a botocore of its own.
MINISTACK_VENV := .venv-ministack
MINISTACK_STAMP := $(MINISTACK_VENV)/requirements.stamp
# A virtual environment of its own: the AWS CLI wants a botocore of its own.
BENCH_VENV := .venv-bench
BENCH_STAMP := $(BENCH_VENV)/requirements.stamp
HLCTL := target/debug/hlctl
NEXTEST_VERSION := 0.9.143

.PHONY: help demo build build-tests test test-rust test-aws torture lint deny advisories bench bench-authorizer dist install clean

help:
	@echo "make demo     the main job in the sandbox: apply, outputs, plan, destroy"
	@echo "make test     all tests"
	@echo "make torture  kills, signals and failures at every request and every write of the state"
	@echo "make lint     fmt, clippy and rustdoc, with warnings as errors"
	@echo "make deny     licences, bans and sources of all dependencies"
	@echo "make advisories  known vulnerabilities of all dependencies; fetches the RustSec database"
	@echo "make bench    times, requests, memory and sizes, side by side with an earlier build, boto3, the AWS CLI and Python in Lambda"
	@echo "make dist     what a release carries, in dist/: an archive, a wheel, a Debian package; each is installed and tried"
	@echo "make install  install hlctl with cargo"

build:
	cargo build --workspace --locked $(BUILD_FLAGS)

# With the features that tests need, so that nothing is built twice.
build-tests:
	cargo build --workspace --locked --all-targets

demo: build
	sh tools/demo.sh $(HLCTL)

test: test-rust test-aws

# cargo-nextest runs neither the examples in the documentation nor a test target with a main of its own.
test-rust:
	command -v cargo-nextest >/dev/null || cargo install cargo-nextest --locked --version $(NEXTEST_VERSION)
	cargo nextest run --workspace --locked
	cargo test --workspace --locked --doc
	cargo test --workspace --locked --test torture

test-aws: build-tests $(STAMP) $(MINISTACK_STAMP)
	$(VENV)/bin/python crates/hlctl-emulator/tests/boto3_client.py target/debug/hlctl-emulator
	$(VENV)/bin/python crates/hlctl-emulator/tests/boto3_lambda.py target/debug/hlctl-emulator
	$(VENV)/bin/python crates/hlctl-emulator/tests/boto3_cognito.py target/debug/hlctl-emulator
	$(VENV)/bin/python crates/hlctl-emulator/tests/boto3_fhir.py target/debug/hlctl-emulator
	$(VENV)/bin/python crates/hlctl-emulator/tests/boto3_jobs.py target/debug/hlctl-emulator
	$(VENV)/bin/python crates/hlctl-emulator/tests/boto3_transform.py target/debug/hlctl-emulator
	$(VENV)/bin/python tests/aws/signatures.py
	$(VENV)/bin/python tests/aws/answers.py
	$(VENV)/bin/python tests/aws/run.py $(HLCTL)
	$(VENV)/bin/python tests/aws/lost_answers.py $(HLCTL) 1 2

$(STAMP): tests/aws/requirements.txt tools/venv.sh
	sh tools/venv.sh $(PYTHON) $(VENV) tests/aws/requirements.txt
	touch $(STAMP)

$(MINISTACK_STAMP): tests/aws/ministack_requirements.txt tools/venv.sh
	sh tools/venv.sh $(PYTHON) $(MINISTACK_VENV) tests/aws/ministack_requirements.txt
	touch $(MINISTACK_STAMP)

# POINT=minimal/apply/kms:CreateKey tries the points whose names begin so.
torture:
	cargo test --workspace --locked --test torture -- $(or $(POINT),--every=$(or $(EVERY),5))

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --workspace --exclude hlctl-emulator --lib --bins --locked --no-default-features -- -D warnings
	! cargo tree --locked --package hlctl --edges normal --no-default-features --prefix none | grep '^hlctl-emulator '
	cargo run --quiet --locked --package xtask -- r4 --check
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

deny:
	command -v cargo-deny >/dev/null || cargo install cargo-deny --locked
	cargo deny --locked check licenses bans sources

# Not a part of .ci/run: it fetches the advisory database from the network, and an advisory appears without a change here.
advisories:
	command -v cargo-deny >/dev/null || cargo install cargo-deny --locked
	cargo deny --locked check advisories

$(BENCH_STAMP): tools/bench_requirements.txt tools/venv.sh
	sh tools/venv.sh $(PYTHON) $(BENCH_VENV) tools/bench_requirements.txt
	touch $(BENCH_STAMP)

bench-authorizer: $(BENCH_STAMP)
	cargo build --profile lambda -p hlctl-authorizer --locked
	$(BENCH_VENV)/bin/python tools/bench_authorizer.py target/lambda/bootstrap

# The build that `make bench` compares with this one; BENCH_BEFORE= leaves it out. It is built from the history, once.
BENCH_BEFORE := 5a395d1
BENCH_BEFORE_HLCTL := $(if $(BENCH_BEFORE),target/bench/$(BENCH_BEFORE)/hlctl)

target/bench/%/hlctl:
	rm -rf target/bench/source && mkdir -p target/bench/source $(@D)
	git archive $* | tar -x -C target/bench/source
	cd target/bench/source && cargo build --release --locked --target-dir ../build
	cp target/bench/build/release/hlctl $@
	rm -rf target/bench/source target/bench/build

# BENCH=--only=upload measures that part alone.
bench: $(BENCH_STAMP) $(MINISTACK_STAMP) bench-authorizer $(BENCH_BEFORE_HLCTL)
	$(PYTHON) tools/dist.py --build-only
	$(BENCH_VENV)/bin/python tools/bench target/programs/hlctl --ministack $(MINISTACK_VENV)/bin/python \
		$(if $(BENCH_BEFORE),--before $(BENCH_BEFORE_HLCTL)) $(BENCH)

# For this machine: Linux or macOS. It needs Python 3.10, and on Linux binutils and dpkg-deb.
dist:
	$(PYTHON) tools/dist.py $(DIST)

install:
	cargo install --path . --locked

clean:
	cargo clean
	rm -rf dist $(VENV) $(MINISTACK_VENV) $(BENCH_VENV)
