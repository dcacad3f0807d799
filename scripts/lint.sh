#!/usr/bin/env bash
# Runs the linters, at the versions that tools/go.mod pins, over every module of the project.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(pwd)/bin
mkdir -p "$bin"
(cd tools && GOBIN="$bin" go install mvdan.cc/gofumpt honnef.co/go/tools/cmd/staticcheck)

unformatted=$("$bin/gofumpt" -l .)
if [ -n "$unformatted" ]; then
	echo "not formatted by gofumpt:" >&2
	echo "$unformatted" >&2
	exit 1
fi
for module in . integration bench; do
	[ -f "$module/go.mod" ] || continue
	(cd "$module" && go vet ./... && "$bin/staticcheck" ./...)
done
long=$(git ls-files '*.go' | xargs wc -l | awk '$2 != "total" && $1 >= 700 { print $2 ": " $1 " lines" }')
if [ -n "$long" ]; then
	echo "files of 700 lines or more:" >&2
	echo "$long" >&2
	exit 1
fi
echo "lint: clean"
