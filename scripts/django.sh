#!/bin/sh
# Fetches a real Django 5.2 (Debian sid) and 4.2 (Debian trixie) with the database drivers and hashers that it needs, for the
# tests that hold Cardea against Django itself. Nothing is installed: the packages are unpacked into a folder.
#
#   scripts/django.sh [FOLDER]     default: ${XDG_CACHE_HOME:-$HOME/.cache}/cardea/django
#
# Prints one line for each Django: its version, a Python that can import it, and the PYTHONPATH that this Python uses,
# separated by tabs. What is there already is not fetched again.
set -eu

dir=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/cardea/django}
python=/usr/bin/python3 # Debian's own: the drivers are built for it, and another may come first on PATH
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() {
	echo "django.sh: $*" >&2
	exit 1
}

command -v apt-get >/dev/null || die "this needs Debian's apt-get and dpkg"
[ -x $python ] || die "there is no $python: install the package python3"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$codename" ] || die "/etc/os-release does not name this Debian's suite"

# mirror: the address of the main archive, as this machine's own apt knows it, whether or not it has fetched any lists.
mirror() {
	apt-get --print-uris update | sed -n "s|^'\(.*\)dists/$codename/main/binary-.*|\1|p" | head -n 1
}

# fetch SUITE TARGET PACKAGE...: unpacks packages of a suite, from lists of their own, so that this machine's apt is as it was.
fetch() {
	suite=$1 target=$2
	shift 2
	uri=$(mirror)
	[ -n "$uri" ] || die "apt's configuration names no mirror for $codename/main"
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	mkdir -p "$tmp/lists/partial" "$tmp/archives/partial" "$tmp/debs" "$tmp/out"
	echo "deb [signed-by=$keyring] $uri $suite main" >"$tmp/sources.list"
	: >"$tmp/status"
	apt() {
		apt-get -q -q -o Dir::Etc::SourceList="$tmp/sources.list" -o Dir::Etc::SourceParts=/dev/null \
			-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
			-o Dir::State::Lists="$tmp/lists" -o Dir::State::Status="$tmp/status" \
			-o Dir::Cache="$tmp" -o Dir::Cache::Archives="$tmp/archives" \
			-o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@" >&2
	}
	apt update || die "cannot read the package lists of $suite from $uri"
	(cd "$tmp/debs" && apt download "$@") || die "cannot fetch from $suite: $*"
	for deb in "$tmp"/debs/*.deb; do
		dpkg -x "$deb" "$tmp/out"
	done
	rm -rf "$target"
	mv "$tmp/out" "$target"
	rm -rf "$tmp"
}

# django VERSION SUITE: makes sure that FOLDER/VERSION holds that Django, and says where it is.
django() {
	want=$1 suite=$2
	home="$dir/$want"
	if [ ! -x "$home/python" ]; then
		fetch "$suite" "$home" python3-django python3-asgiref python3-sqlparse
		path="$home/usr/lib/python3/dist-packages:$drivers/usr/lib/python3/dist-packages"
		{
			echo '#!/bin/sh'
			echo "PYTHONPATH='$path' LD_LIBRARY_PATH='$libs' PYTHONDONTWRITEBYTECODE=1 exec $python \"\$@\""
		} >"$home/python.new"
		chmod +x "$home/python.new"
		got=$("$home/python.new" -c 'import django; print(django.__version__)') || die "the Django of $suite does not run"
		case $got in
		"$want".*) ;;
		*) die "$suite has moved on: it holds Django $got, not $want" ;;
		esac
		"$home/python.new" -c 'import argon2, bcrypt, MySQLdb, psycopg2, redis' || die "a driver or a hasher does not load"
		mv "$home/python.new" "$home/python"
	fi
	got=$("$home/python" -c 'import django; print(django.__version__)')
	printf '%s\t%s\t%s\n' "$got" "$home/python" "$("$home/python" -c 'import os; print(os.environ["PYTHONPATH"])')"
}

# Extensions compiled for this machine's Python come from its own suite, with the libraries that they load.
drivers="$dir/drivers-$codename"
libs="$drivers/usr/lib/$($python -c 'import sysconfig; print(sysconfig.get_config_var("MULTIARCH"))')"
if [ ! -d "$drivers/usr/lib/python3/dist-packages/redis" ]; then
	fetch "$codename" "$drivers" python3-psycopg2 python3-mysqldb python3-argon2 python3-bcrypt python3-cffi-backend \
		python3-redis python3-async-timeout python3-deprecated python3-packaging python3-wrapt \
		libpq5 libmariadb3 libargon2-1
fi

django 5.2 sid
django 4.2 trixie
