# What is done to this repository. "make help" lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

FUZZTIME ?= 10s
LINT := bin/golangci-lint
LINT_VERSION := 2.15.0

# Packages that compute for long and do one thing at a time: the race detector finds
# nothing in them, and makes minutes of it.
COMPUTING := insight/attribution|insight/lifetime|insight/receipt|internal/simulate

# Tests of a package that works concurrently which do one thing at a time, too.
ALONE := ^TestAudienceLaws|^TestMembersAsAnOracleSays|^TestWhenSomebodyLooksDoesNotMatter|^TestOrderDoesNotMatterToMembers

# What generators write. It is committed, so that Go alone is enough to build.
GENERATED := ent ':!ent/schema' graph/exec graph/model 'graph/*.resolvers.go' web/dist

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z\/]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: ## build bin/acquaint
	go build -trimpath -o bin/acquaint ./cmd/acquaint

.PHONY: demo
demo: ## serve a simulated population
	go run ./cmd/acquaint demo

.PHONY: test
test: ## run all tests but those of the SDKs, with the race detector, on the engines that there are
	@go test -count=1 -v -run '^TestWhichEngines$$' ./internal/testdb > /tmp/acquaint-engines.$$$$ || { cat /tmp/acquaint-engines.$$$$; exit 1; }; grep '^engines:' /tmp/acquaint-engines.$$$$; rm /tmp/acquaint-engines.$$$$
	go test -race -timeout 15m ./store $$(go list ./... | grep -v -E '/(test/sdk|store|$(COMPUTING))$$') # the longest first
	go test -timeout 15m $$(go list ./... | grep -E '/($(COMPUTING))$$') # they compute for long, one thing at a time
	go test -timeout 15m -run 'RealFiles|^TestLeak|$(ALONE)' ./cmd/acquaint ./graph ./store # without the race detector, under which SQLite is slow
	go test -timeout 15m -run '^Test(Engines|Audience|Experiences|OrderDoesNotMatter)$$/^sqlite$$' ./store # likewise

.PHONY: test/sdk
test/sdk: ## run Segment's SDKs and a browser against the binary; needs node, npm and Chromium
	cd test/sdk && npm ci --no-audit --no-fund
	ACQUAINT_TEST_SDK=required go test -count=1 -timeout 15m ./test/sdk

.PHONY: race
race: ## run what works concurrently five times over with the race detector
	go test -race -count=5 -timeout 15m ./ingest/... ./internal/bulk ./server/... ./store/...

.PHONY: fuzz
fuzz: ## fuzz everything that reads what others write, FUZZTIME each (10s)
	@git grep -l '^func Fuzz' -- '*_test.go' | while read -r file; do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
	    echo "$$(dirname $$file) $$target"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file); \
	  done; \
	done

.PHONY: bench
bench: ## measure beside what PostgreSQL could do, at DATABASE_URL or 127.0.0.1, and run the Go benchmarks
	DATABASE_URL="$${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable}" go run ./cmd/acquaint bench
	go test -run '^$$' -bench . -benchmem $$(go list ./... | grep -v /test/)

.PHONY: lint
lint: $(LINT) ## run golangci-lint, which it installs into bin
	$(LINT) run

$(LINT): Makefile
	@[[ "$$($(LINT) version 2>/dev/null)" == *"version $(LINT_VERSION) "* ]] || \
	  GOBIN=$(CURDIR)/bin GOFLAGS= go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(LINT_VERSION)
	@touch $(LINT)

.PHONY: verify
verify: ## regenerate everything, and fail where it differs from what is committed
	go generate ./...
	cd web && npm ci --no-audit --no-fund && npm run build
	go mod tidy -diff
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [[ -z "$$unformatted" ]] || { echo "not formatted: $$unformatted"; exit 1; }
	git diff --exit-code -- $(GENERATED)
	@left=$$(git ls-files --others --exclude-standard -- $(GENERATED)); [[ -z "$$left" ]] || { echo "generated and not committed: $$left"; exit 1; }
