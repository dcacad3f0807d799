#!/usr/bin/env bash
# Installs what the tests need and Go does not fetch by itself: Debian's Chromium with a font, a C compiler for the race
# detector, OpenLDAP, nginx, Caddy, pg_dump, two real Djangos (scripts/django.sh) and axe-core. May be run at any time: what is there stays as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cardea

die() {
	echo "install.sh: $*" >&2
	exit 1
}

# --- Debian's packages

# shellcheck source=/dev/null
[ -r /etc/os-release ] && . /etc/os-release
case " ${ID:-} ${ID_LIKE:-} " in
*" debian "*) ;;
*) die "this is written for Debian, and this is ${PRETTY_NAME:-another system}: install by hand what its list of packages names" ;;
esac

wanted=(chromium fonts-liberation python3 gcc libc6-dev openssl ca-certificates slapd ldap-utils postgresql-client nginx caddy)
axe_version=4.14.1
axe_sum=sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==
axe=$cache/axe-core/$axe_version
if [ ! -s "$axe/axe.min.js" ] && ! command -v npm >/dev/null; then
	wanted+=(npm)
fi

missing=()
for package in "${wanted[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
	root=()
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || die "run as root, there being no sudo here: apt-get install ${missing[*]}"
		root=(sudo)
	fi
	# The tests start servers of their own: those of the packages are not started, neither now nor at boot, and slapd is not configured.
	policy=/usr/sbin/policy-rc.d
	services=()
	for package in "${missing[@]}"; do
		case $package in slapd | nginx | caddy) services+=("$package") ;; esac
	done
	if [ ${#services[@]} -gt 0 ]; then
		echo "slapd slapd/no_configuration boolean true" | "${root[@]}" debconf-set-selections
		if [ ! -e "$policy" ]; then
			trap '"${root[@]}" rm -f "$policy"' EXIT
			printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
			"${root[@]}" chmod 755 "$policy"
		fi
	fi
	install() {
		"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${missing[@]}"
	}
	# The package lists are fetched only when those at hand do not lead to the packages.
	install || {
		"${root[@]}" apt-get -q update
		install
	} || die "apt-get cannot install: ${missing[*]}"
	if [ "$(trap -p EXIT)" ]; then
		"${root[@]}" rm -f "$policy"
		trap - EXIT
	fi
	if [ ${#services[@]} -gt 0 ] && [ -d /run/systemd/system ]; then
		"${root[@]}" systemctl disable --quiet --now "${services[@]}"
	fi
fi

# --- Django

./scripts/django.sh | cut -f 1,2

# --- axe-core, which looks for what people with disabilities could not use

if [ ! -s "$axe/axe.min.js" ]; then
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	(cd "$tmp" && npm pack --silent "axe-core@$axe_version" >/dev/null) || die "npm cannot fetch axe-core $axe_version"
	sum=sha512-$(openssl dgst -sha512 -binary "$tmp/axe-core-$axe_version.tgz" | base64 -w 0)
	[ "$sum" = "$axe_sum" ] || die "the axe-core that npm fetched is not the one that is expected: its checksum is $sum"
	tar -xzf "$tmp/axe-core-$axe_version.tgz" -C "$tmp" package/axe.min.js
	mkdir -p "$axe"
	mv "$tmp/package/axe.min.js" "$axe/axe.min.js"
fi
echo "axe-core $axe_version	$axe/axe.min.js"
dpkg-query -W -f '${Package} ${Version}\n' chromium nginx caddy
