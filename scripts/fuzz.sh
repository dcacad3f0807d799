#!/usr/bin/env bash
# Runs every fuzz target for the given time each (default 5s). New inputs that fail stay under testdata/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-5s}
count=0
for file in $(grep -rl --include='*_test.go' '^func Fuzz' . | sort); do
	case $file in ./integration/* | ./bench/*) continue ;; esac
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		echo "fuzz $file $target $time"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "$(dirname "$file")"
		count=$((count + 1))
	done
done
echo "fuzz: $count targets, $time each, no failure"
