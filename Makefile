# What a person types in this repository. `make help` lists it.
#
# Every target is a thin call of a script beside it, so that each can also be read, and run, alone.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
DESTDIR ?=
# Arguments for `swift test`, as in: make test TEST="--filter CryptographyTests"
TEST ?=
# Arguments for the benchmarks, as in: make bench BENCH="--quick init"
BENCH ?=

.PHONY: help deps deps-test deps-bench build demo demo-fleet test test-long check format bench bench-server image install clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## Install the Debian packages that building needs (sudo when not root)
	@scripts/deps build

deps-test: ## Install what the tests need besides: rclone, nginx, a Docker engine, …
	@scripts/deps build test

deps-bench: ## Install what the benchmarks need besides: the programs we compare with
	@scripts/deps build bench

build: deps ## Leave dist/secure-init and dist/secure-store: static, stripped
	@scripts/build

demo: build ## Show the main job end to end, in under a minute
	@scripts/deps demo
	@scripts/demo

demo-fleet: build ## Show a fleet end to end: devices in containers, grants, policies, lockdown
	@scripts/deps image demo
	@scripts/demo-fleet

test: deps-test ## Run every test; say what was skipped and why (REQUIRE_ALL=1: a skip fails)
	@scripts/test $(TEST)

test-long: deps-test ## Run every test, some for as long as they are meant to (two hours and more)
	@LONG_TESTS=1 scripts/test $(TEST)

check: ## Format and lint, strictly
	@scripts/deps build lint
	@scripts/check

format: ## Reformat the Swift sources in place
	@swift format format --in-place --parallel --recursive --configuration .swift-format \
		Package.swift Sources Tests Fuzzing/Package.swift Fuzzing/Sources

bench: deps-bench build ## Run the benchmarks beside installed peers
	@Benchmarks/run $(BENCH)

bench-server: deps-bench build ## Measure the key server beside nginx, a boot storm, a growing fleet
	@Benchmarks/run $(BENCH) server

image: build ## Build the container images from dist/, without a registry
	@scripts/deps image
	@scripts/image

install: ## Install dist/, man pages and completions below $(DESTDIR)$(PREFIX)
	@test -x dist/secure-init -a -x dist/secure-store || { echo "run 'make build' first" >&2; exit 1; }
	install -D -m 755 -t "$(DESTDIR)$(PREFIX)/bin" dist/secure-init dist/secure-store
	@scripts/man "$(DESTDIR)$(PREFIX)/share/man/man1"
	@scripts/completions "$(DESTDIR)$(PREFIX)/share"

clean: ## Remove what was built here (caches of the tests stay)
	rm -rf .build dist Fuzzing/.build Fuzzing/findings
