check:
	./scripts/lint.sh

test:
	go test ./...

race:
	go test -race -short ./...

fuzz:
	./scripts/fuzz.sh 30s

integration:
	cd integration && CARDEA_TEST_REQUIRE=1 go test -short -count=1 -p 1 -timeout 25m ./...

mutants:
	./scripts/mutants.sh

slow:
	./scripts/slow.sh

bench:
	cd bench && go run .

.PHONY: check test race fuzz integration mutants slow bench
