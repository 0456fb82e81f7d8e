# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by the other scripts: where things are, how to say what goes on, and
# how to get what is missing. Everything that is built goes to $BUILD.
set -eu
export LC_ALL=C
# When the command began, for scripts that it starts, too
export BEGAN=${BEGAN:-$(date +%s)}

TOP=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${BUILD:-$TOP/build}
SELFTESTS=$TOP/tools/testing/selftests/kerror
mkdir -p "$BUILD"

# The packages that tools/kerror is built with and of
TOOLS_PACKAGES="gcc gettext libc6-dev libcap-ng-dev libcurl4-gnutls-dev libdw-dev libelf-dev
	libgnutls28-dev libinih-dev libjson-c-dev libmicrohttpd-dev libmnl-dev libnats-dev libsqlite3-dev
	libsystemd-dev libzstd-dev make pkg-config zlib1g-dev"

# Compiler output is found again in another clone, too.
export CCACHE_BASEDIR="$TOP" CCACHE_NOHASHDIR=1

# step TEXT: what is done now, and how long the command has run
step() { printf '\n== %d s: %s\n' $(($(date +%s) - BEGAN)) "$*" >&2; }
die() { echo "${0##*/}: $*" >&2; exit 1; }

# need_packages PACKAGE...: installs those that are missing.
need_packages() {
	missing=
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q 'install ok installed' || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	step "installing$missing"
	[ "$(id -u)" = 0 ] ||
		die "not root: as root, run: apt-get install$missing"
	apt-get update -qq || true
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq \
		--no-install-recommends $missing >"$BUILD/apt.log" 2>&1 ||
		{ tail -5 "$BUILD/apt.log" >&2; die "apt-get failed: $BUILD/apt.log"; }
}

# debian_mirror: prints where this machine's apt gets Debian's packages from.
debian_mirror() {
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		"Codename: $(. /etc/os-release; echo "$VERSION_CODENAME")" 'Component: main' 'Label: Debian' |
		head -1)
	[ "$mirror" ] || die "apt has no list of Debian's packages; run: apt-get update"
	echo "$mirror"
}

# own_apt FOLDER deb|deb-src [OPTION]...: sets $apt to the options of an apt of our
# own, with its lists in FOLDER, as the machine's need not have such packages. They
# are of Debian's $SUITES, or of the release of this machine.
own_apt() {
	apt_folder=$1 apt_type=$2
	shift 2
	mkdir -p "$apt_folder/lists/partial"
	. /etc/os-release
	mirror=$(debian_mirror)
	for apt_suite in ${SUITES:-$VERSION_CODENAME}; do
		echo "$apt_type $mirror $apt_suite main"
	done > "$apt_folder/sources.list"
	apt="-o Dir::Etc::sourcelist=$apt_folder/sources.list -o Dir::Etc::sourceparts=-
	     -o Dir::State::lists=$apt_folder/lists -o Dir::State::status=/dev/null
	     -o Dir::Cache::srcpkgcache=
	     -o Dir::Cache::pkgcache= -o APT::Sandbox::User=root $*"
	apt-get $apt -q update > "$apt_folder/log" 2>&1 ||
		{ tail -5 "$apt_folder/log" >&2; die "apt-get update failed: $apt_folder/log"; }
}

# fetch_source NAME FOLDER: puts the archive in Debian's linux-source-NAME there, by the
# apt that own_apt has set up.
fetch_source() {
	step "fetching linux-source-$1"
	rm -f "$2/linux-source-$1"_*.deb
	(cd "$2" && apt-get $apt -q download "linux-source-$1" > log 2>&1) ||
		{ tail -5 "$2/log" >&2; die "Debian has no linux-source-$1; give a KERNEL_TREE"; }
	dpkg-deb --fsys-tarfile "$2/linux-source-$1"_*.deb |
		tar -xO "./usr/src/linux-source-$1.tar.xz" > "$2/new"
	mv "$2/new" "$2/linux-source-$1.tar.xz"
	rm -f "$2/linux-source-$1"_*.deb
}

# kernel_source NAME: prints the path of the archive in Debian's linux-source-NAME.
# The package is this machine's, or else of the suite that has it, and not installed.
kernel_source() {
	tar=linux-source-$1.tar.xz
	if [ -e "/usr/src/$tar" ]; then
		echo "/usr/src/$tar"
		return
	fi
	mkdir -p "$BUILD/sources"
	(
		flock 8
		[ ! -e "$BUILD/sources/$tar" ] || exit 0
		SUITES="trixie bookworm bookworm-backports trixie-backports sid"
		own_apt "$BUILD/sources/apt" deb
		fetch_source "$1" "$BUILD/sources"
	) 8> "$BUILD/sources/lock" || exit 1
	echo "$BUILD/sources/$tar"
}

# nats_server: prints the path of a nats-server that kerrord takes: this machine's, or else
# Debian 13's, which it does not install; nothing if there is none.
nats_server() {
	found=$(PATH=$PATH:/usr/sbin command -v nats-server) || found=$BUILD/nats/nats-server
	if [ "$found" = "$BUILD/nats/nats-server" ] || dpkg --compare-versions \
		"$("$found" --version | sed 's/.*v//')" lt 2.10.27; then
		found=$BUILD/nats/nats-server
		[ -e "$found" ] || (
			SUITES=trixie
			own_apt "$BUILD/nats/apt" deb
			cd "$BUILD/nats" &&
			apt-get $apt -q download nats-server > log 2>&1 &&
			package=$(find . -name 'nats-server_*.deb') &&
			dpkg-deb --extract "$package" new &&
			mv new/usr/sbin/nats-server . &&
			rm -r new "$package"
		) >&2 || true
	fi
	[ ! -x "$found" ] || echo "$found"
}

# release_of KERNEL_TREE: such as 2.6.32
release_of() {
	awk '$2 == "=" && /^(VERSION|PATCHLEVEL|SUBLEVEL) / { print $3 }' \
		"$1/Makefile" | paste -sd. -
}

# name_of [KERNEL_TREE]: the folder in build/. The kernel of the demo is that of this
# machine's release of Debian.
name_of() {
	if [ -z "$1" ]; then
		case $(. /etc/os-release; echo "${VERSION_ID:-}") in 12) echo 6.1 ;; *) echo 6.12 ;; esac
		return
	fi
	[ -f "$1/Makefile" ] || die "$1 is not a kernel source tree"
	echo "linux-$(release_of "$1")"
}

# arch_of [KERNEL_TREE [ARCH]]: what guests are built for: ARCH if given, else i386 for
# Linux 2.6 and x86_64 for others.
arch_of() {
	if [ -n "${2:-}" ]; then
		echo "$2"
	elif [ -n "${1:-}" ] && grep -q '^VERSION *= *2$' "$1/Makefile"; then
		echo i386
	else
		echo x86_64
	fi
}

# progress TITLE EXPECTED_LINES: shows how far a kernel build on standard input
# has come; the output itself goes to standard output.
progress() {
	tty=no
	[ -t 2 ] && tty=yes
	awk -v title="$1" -v expected="$2" -v tty=$tty '
	{ print }
	/^  [A-Z]/ {
		percent = int(++lines * 100 / expected)
		if (percent > 99)
			percent = 99
		if (tty == "yes" && percent != shown) {
			bar = substr("##############################", 1, percent * 30 / 100)
			printf "\r%s [%-30s] %2d%% ", title, bar, percent > "/dev/stderr"
			shown = percent
		} else if (tty != "yes" && percent >= shown + 10) {
			shown = percent - percent % 10
			printf "%s %d%%\n", title, shown > "/dev/stderr"
		}
	}
	END { printf "%s%s finished\n", tty == "yes" ? "\r\033[K" : "", title > "/dev/stderr" }'
}

# keep_pristine NAME: puts the files that the series changes, as they were, to
# build/NAME/pristine: from the tree that was given, or that was just unpacked, or
# from the package.
keep_pristine() {
	files=$("$TOP/scripts/make-series.sh" --files)
	[ "$files" != "$(cat "$BUILD/$1/pristine.files" 2>/dev/null)" ] || return 0
	mkdir -p "$BUILD/$1/pristine"
	origin=$(cat "$BUILD/$1/unpacked" 2>/dev/null || true)
	[ -n "$origin" ] || [ ! -e "$BUILD/$1/unpacked" ] || [ -e "$BUILD/$1/files" ] ||
		origin=$BUILD/$1/source
	if [ -n "$origin" ]; then
		(cd "$origin" && cp -p --parents $files "$BUILD/$1/pristine" 2>/dev/null) || true
	else
		archive=$(kernel_source "${1#vanilla-}")
		step "looking at linux-source-${1#vanilla-}"
		tar -C "$BUILD/$1/pristine" --strip-components=1 -xf "$archive" \
			$(printf "linux-source-${1#vanilla-}/%s " $files) 2>/dev/null || true
	fi
	echo "$files" > "$BUILD/$1/pristine.files"
}
