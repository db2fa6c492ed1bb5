# The targets are what CI runs, one by one: see .ci/run.
.PHONY: all build vet lint test race fuzz quickstart bench update

all: build vet lint race quickstart ## what must pass before a change lands

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

bench: ## what a call costs over bare net/http
	go run ./internal/bench

update: ## rewrite the recorded surface and the generated documents
	go test -run 'TestTheExportedSurface|TestTheCoverageTable|Matrix' -update .
