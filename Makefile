# One door for tasks: `make run` and `make test` work on a fresh machine that has rustup, Node and a C compiler.
# Everything else that they need they install, into $(RAMAL_CACHE) or by rustup.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

# Cargo's folder, as an absolute path: the tests run in other folders than this one.
ifneq ($(CARGO_TARGET_DIR),)
override CARGO_TARGET_DIR := $(abspath $(CARGO_TARGET_DIR))
export CARGO_TARGET_DIR
endif
TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
RAMAL := $(TARGET)/debug/ramal

# Where the tests find the plugins that `make fixtures` built.
export RAMAL_FIXTURES := $(TARGET)/ramal

# Tools and test peers, made once. A folder of the user's own only where the user has made it.
RAMAL_CACHE ?= $(if $(wildcard $(HOME)/.cache/ramal/.),$(HOME)/.cache/ramal,$(TARGET)/cache)
export RAMAL_CACHE
TOOLS := $(RAMAL_CACHE)/tools
export PATH := $(TOOLS)/bin:$(HOME)/.cargo/bin:$(PATH)

CHANNEL := $(shell sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)
NEXTEST_VERSION := 0.9.143
WASM := wasm32-unknown-unknown
# Folders with a plugin that tests load; those that exist.
GUESTS := $(wildcard plugins/practice plugins/bottlecrm plugins/odoo plugins/tryton tests/zoo/guest)
# A build server builds what was committed; a developer's changed Cargo.toml may change the lock file.
LOCKED := $(if $(CI),--locked)
NEXTEST_PROFILE := $(if $(CI),ci,default)
PEERS_LOG := $(TARGET)/peers.log

# $(call phase,what,command): run it and say how long it took.
phase = printf '\n== %s\n' '$(1)'; SECONDS=0; $(2); printf '== %s: %d s\n' '$(1)' "$$SECONDS"

.PHONY: help run test bench fixtures panel fmt lint soak fuzz clean-data
.PHONY: toolchain nextest cli guests built panel-if-node panel-tests

help: ## Say what there is to do
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

# === run ===

run: toolchain panel-if-node cli ## Build the host and the practice plugin, start Ramal with SQLite and a practice CRM
	@$(MAKE) --no-print-directory guests GUESTS=plugins/practice
	$(RAMAL) run --practice

PANEL := host/panel/dist/index.html
PANEL_UI := host/panel/ui
PANEL_SOURCES := $(shell find $(PANEL_UI) -name node_modules -prune -o -type f -print)
HAS_NODE = node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null && command -v npm >/dev/null

panel: $(PANEL) ## Build the panel, which the host embeds when it is built next

$(PANEL): $(PANEL_SOURCES)
	@$(HAS_NODE) || { echo 'missing: Node.js 20.19 or newer with npm, which builds the panel' >&2; exit 1; }
	@$(call phase,build the panel,cd $(PANEL_UI) && npm ci --ignore-scripts --loglevel=error && npm run --silent build)

# A host without its panel works, and its page says how to get it; on a build server nothing may be missing.
panel-if-node:
	@if [ -n "$${CI:-}" ] || { $(HAS_NODE); }; then $(MAKE) --no-print-directory panel; \
	else echo 'the panel is left out: it needs Node.js 20.19 or newer with npm. The page will say how to get it.'; fi

# What needs neither the host nor a browser.
panel-tests:
	@if [ -d $(PANEL_UI)/node_modules ]; then $(call phase,types and tests of the panel,cd $(PANEL_UI) && npm run --silent check && npm test --silent); \
	else echo 'SKIPPED the types and tests of the panel: its packages are not installed (make panel)'; fi

fixtures: toolchain cli ## Build the plugins into target/ramal, where the tests look for them
	@$(MAKE) --no-print-directory guests

cli:
	@$(call phase,build the host,cargo build $(LOCKED) -p ramal-cli)

guests:
	@$(call phase,build the plugins,for guest in $(GUESTS); do $(RAMAL) build "$$guest"; done)

# === test ===

# The peers come over the network while the compiler works. Their log is shown once both are done.
test: toolchain nextest panel-if-node ## Install what the tests need and pass them
	@mkdir -p "$(TARGET)"; \
	tests/peers/install.sh >"$(PEERS_LOG)" 2>&1 & peers=$$!; \
	trap 'kill "$$peers" 2>/dev/null || true' EXIT; \
	$(call phase,format,cargo fmt --all --check); \
	$(MAKE) --no-print-directory panel-tests; \
	$(MAKE) --no-print-directory built guests; \
	printf '\n== peers\n'; \
	if wait "$$peers"; then cat "$(PEERS_LOG)"; else cat "$(PEERS_LOG)"; exit 1; fi
	@status=0; \
	$(call phase,examples in the documentation,cargo test $(LOCKED) --quiet --workspace --doc || status=1); \
	$(call phase,tests,cargo nextest run $(LOCKED) --workspace --profile $(NEXTEST_PROFILE) || status=1); \
	grep -h '^peers: SKIPPED' "$(PEERS_LOG)" || true; \
	exit $$status

# Everything at once, so that each dependency is built with one set of features; the CLI is among it.
built:
	@$(call phase,build,cargo build $(LOCKED) --workspace --bins --tests --examples)

# The second fills databases with RAMAL_BENCH_STORED interactions (a million), which takes minutes and gigabytes.
bench: toolchain fixtures ## Measure (release build); what is bare is measured beside ours
	cargo bench $(LOCKED) -p ramal-engine --bench calls
	cargo bench $(LOCKED) -p ramal-server --bench intake

# Budgets of hours, for a machine that has them: SOAK_CASES per property, FUZZ_SECONDS per fuzz target, and
# the tests that are marked #[ignore] because they take long.
SOAK_CASES ?= 100000
soak: export PROPTEST_CASES := $(SOAK_CASES)
soak: export FUZZ_SECONDS := $(or $(FUZZ_SECONDS),1800)
soak: toolchain nextest ## Test for hours: many more cases, the long tests, the fuzz targets
	@tests/peers/install.sh
	@$(MAKE) --no-print-directory built guests
	cargo nextest run $(LOCKED) --workspace --profile soak --run-ignored all
	fuzz/run.sh $(FUZZ)

fuzz: ## Fuzz the parsers of strangers' files for a minute each; FUZZ="body grant" FUZZ_SECONDS=600
	@fuzz/run.sh $(FUZZ)

# === looks ===

fmt: ## Format the Rust code
	cargo fmt --all

# A test may stop at what it did not expect, and a benchmark prints.
FREE_IN_TESTS := $(addprefix -A clippy::,unwrap_used expect_used panic indexing_slicing print_stdout print_stderr)

lint: toolchain ## Format check, clippy, documentation, dependency rules
	cargo fmt --all --check
	cargo clippy $(LOCKED) --workspace --lib --bins -- -D warnings
	cargo clippy $(LOCKED) --workspace --tests --benches --examples -- -D warnings $(FREE_IN_TESTS)
	RUSTDOCFLAGS='-D warnings' cargo doc $(LOCKED) --workspace --no-deps --document-private-items
	@if command -v cargo-deny >/dev/null; then cargo deny --workspace check; \
	else echo 'lint: SKIPPED the dependency rules of deny.toml: no cargo-deny (cargo install --locked cargo-deny)'; fi

clean-data: ## Remove what `make run` wrote: the practice database, grants and ledger
	rm -rf practice-data

# === tools ===

# Asks rustup first and installs only what is absent: an installed toolchain needs no network.
toolchain:
	@command -v rustup >/dev/null || { echo 'missing: rustup, the installer of Rust; install it and open a new shell' >&2; exit 1; }
	@command -v cc >/dev/null || { echo 'missing: a C compiler, cc (on Debian: apt-get install build-essential)' >&2; exit 1; }
	@if ! rustup target list --toolchain $(CHANNEL) --installed 2>/dev/null | grep -qx $(WASM) \
	|| ! rustup component list --toolchain $(CHANNEL) --installed 2>/dev/null | grep -q '^clippy' \
	|| ! rustup component list --toolchain $(CHANNEL) --installed 2>/dev/null | grep -q '^rustfmt'; then \
	rustup toolchain install $(CHANNEL) --no-self-update --profile minimal --component rustfmt --component clippy; \
	rustup target add --toolchain $(CHANNEL) $(WASM); fi

# Without its self-update, which would bring an HTTP client and TLS; without optimising, which a runner does not need.
nextest:
	@cargo nextest --version >/dev/null 2>&1 || { $(call phase,install cargo-nextest $(NEXTEST_VERSION),env -u CARGO_TARGET_DIR \
	cargo install --quiet --locked --debug --root "$(TOOLS)" cargo-nextest@$(NEXTEST_VERSION) --no-default-features --features default-no-update); }
