# Shortcuts. What must pass before a change lands is .ci/run.
.PHONY: all build vet lint test race quickstart examples bench guards update

all: ## what must pass before a change lands
	.ci/run

build:
	go build ./...

vet:
	test -z "$$(gofmt -l .)" && go vet ./...

lint:
	go tool -modfile=tools/go.mod staticcheck ./...

test:
	go test ./...

race:
	go test -race ./...

quickstart:
	go run ./examples/quickstart

examples:
	cd examples/jobs && go vet ./... && go test ./...
	cd examples/otel && go vet ./... && go test ./...

guards: ## remove each guard of a request, and see that a test notices
	go -C tools run ./guards

bench: ## what a call costs over bare net/http
	go run ./internal/bench

update: ## rewrite the recorded surface and the generated documents
	go test -run 'TestTheExportedSurface|TestTheCoverageTable|Matrix' -update .
