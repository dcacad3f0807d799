#!/usr/bin/env bash
# The slow tier: long fuzzing, mutants, the whole test run without -short, the wide matrix and the storms of integration/.
set -euo pipefail
cd "$(dirname "$0")/.."
./scripts/fuzz.sh "${CARDEA_FUZZ_TIME:-5m}"
./scripts/mutants.sh
CARDEA_TEST_REQUIRE=1 go test -count=1 ./...
(cd integration && CARDEA_TEST_REQUIRE=1 CARDEA_SLOW=1 go test -count=1 -p 1 -timeout 90m ./...)
echo "slow: done"
