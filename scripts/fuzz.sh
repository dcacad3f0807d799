#!/usr/bin/env bash
# Runs every fuzz target for the given time each (default 5s). New inputs that fail stay under testdata/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-5s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# fuzz TARGET FOLDER. Go's fuzzer sometimes takes the end of its own time for a failure: "context deadline exceeded", and no
# input that fails. Only that is tried again, twice. It says nothing of targets that hang: those the fuzzer would let pass, and
# they end themselves (internal/testhang).
fuzz() {
	for try in 1 2 3; do
		if go test -run '^$' -fuzz "^$1\$" -fuzztime "$time" -fuzzminimizetime 10x "$2" >"$log" 2>&1; then
			cat "$log"
			return 0
		fi
		cat "$log"
		grep -q '^    context deadline exceeded$' "$log" && ! grep -q 'Failing input written' "$log" || return 1
		echo "fuzz: $1 ended with its time and found nothing (try $try)"
	done
	return 1
}

count=0
for file in $(grep -rl --include='*_test.go' '^func Fuzz' . | sort); do
	case $file in ./integration/* | ./bench/*) continue ;; esac
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		echo "fuzz $file $target $time"
		fuzz "$target" "$(dirname "$file")"
		count=$((count + 1))
	done
done
echo "fuzz: $count targets, $time each, no failure"
