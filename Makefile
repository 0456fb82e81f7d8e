# SPDX-License-Identifier: GPL-2.0-only
#
# Entry points of this repository; "make help" lists them. The kernel's own
# build does not use this file.

SERIES := $(patsubst patches/series-%,%,$(wildcard patches/series-*))

# The guest of "make shell" and "make kernel": its name and architecture
GUEST = $(shell sh -c '. scripts/common.sh; name_of "$$1"; arch_of "$$@"' scripts/guest.sh '$(KSRC)' '$(ARCH)')

# ARCH is an argument of scripts, and none of the builds that they start.
unexport ARCH
MAKEOVERRIDES =

help:
	@echo 'Structured error events for Linux: NETLINK_KERROR and evlog.'
	@echo
	@echo 'Each installs what it needs (on Debian, as root) and can be run again:'
	@echo '  make try     events of real faults, on an unmodified kernel of Debian'
	@echo '  make demo    build and boot a patched kernel, show events of a sample driver'
	@echo '  make check   run the tests; the last line is "N passed, N failed"'
	@echo '  make check-all    those that repeat others on more kernels, too'
	@echo '  make check-quick  those that boot nothing'
	@echo '  make arches  the tests that need a guest, on 6.12 for s390x, for i386, and for x86_64'
	@echo '               with 32-bit programs'
	@echo '  make stock   the tests of the modules, on unmodified kernels of Debian: 6.1, 6.12, 7.3;'
	@echo '               amd64, cloud, rt, arm64'
	@echo '  make images SUITE=bookworm  installs the Debian packages on a whole Debian in QEMU, and'
	@echo '               reboots it; SESSION="install driver cases" also upgrades, removes ...'
	@echo '  make faults  real faults on unmodified kernels of Debian, and which installed rule'
	@echo '               recognises each (FAULTS="oom_cgroup usb" KERNELS=linux-image-amd64 TABLE=file);'
	@echo '               SEND=yes also sends the events to an HTTP server that fails now and then'
	@echo '  make stress  the long form of the stress tests, on debug kernels (EVENTS=N);'
	@echo '               KERNELS=um-kasan ROUNDS=100000 only corrupts the memory that outlives a kernel'
	@echo '  make crashes [N=200]  kernels die at random in a flood of events, one after another;'
	@echo '               kerrord must have each event (KERNELS="6.1 linux-image-amd64" WAYS="reset panic-nmi")'
	@echo '               MINUTES=9 stops then; run again, it goes on'
	@echo '  make bench   measures what events cost, beside printk, tracing and others, and writes'
	@echo '               Documentation/kerror-bench/; 10 minutes, on a machine that does nothing else;'
	@echo '               PARTS=instructions counts instructions only, on any machine'
	@echo '  make mutants breaks the code on purpose, to see the tests fail'
	@echo '  make rust    the macros of samples/evlog/evlog.rs, with the rustc of Debian 13, and a kernel'
	@echo '               with CONFIG_RUST=y whose modules use them'
	@echo '  make newest  says which kernels of Debian suites it applies to, builds and runs on'
	@echo '  make shell   a shell in the guest of "make demo"'
	@echo
	@echo 'One test: what it prints is in build/check/NAME.'
	@echo '  make check LIST=1                     their names; nothing is run'
	@echo "  make check ONE='6.1/panic tools/*'    those whose names match"
	@echo '  make guest-test TEST=contexts         one test in the guest of "make demo"'
	@echo '  make kunit FILTER=evlog.test_site     one unit test in the kernel'
	@echo
	@echo 'Parts of them:'
	@echo '  make kernel  build that kernel'
	@echo '  make tools   libkerror and kerrord for this machine, in build/tools'
	@echo '  make series  print patches/ anew ($(SERIES))'
	@echo '  make clean   delete build/'
	@echo
	@echo 'KSRC=/path/to/linux makes demo, check, shell and kernel use that tree.'
	@echo 'It may be a Linux 2.6, for i386 or with ARCH=x86_64; before 2.6.32 that needs KCC=an'
	@echo 'old gcc for that architecture, such as 3.4.'
	@echo 'The tree is only read. A series for it alone:'
	@echo '  scripts/make-series.sh /path/to/linux /path/to/patches'

try:
	@scripts/try.sh

demo:
	@scripts/demo.sh '$(KSRC)' '$(ARCH)'

export LIST ONE
check:
	@scripts/check.sh '$(KSRC)' '$(ARCH)'

check-all:
	@scripts/check.sh --all

check-quick:
	@scripts/check.sh --quick

stock:
	@scripts/check.sh --stock

arches:
	@scripts/check.sh --arches

images:
	@scripts/images.sh '$(SUITE)' $(SESSION)

KERNELS = linux-image-amd64 linux-image-amd64_trixie linux-image-amd64_trixie-backports
faults:
	@status=0; for kernel in $(KERNELS); do \
		scripts/faults.sh $$kernel $(FAULTS) || status=1; \
		logs="$$logs $$(cat build/$$kernel/release)=build/$$kernel/faults.all"; \
	done; [ -z "$(TABLE)" ] || \
		python3 scripts/faults.py --table tools/kerror/rules.d $$logs > "$(TABLE)"; \
	exit $$status

stress: KERNELS =
stress:
	@scripts/stress.sh $(or $(EVENTS),1000000) $(KERNELS)

N = 200
crashes: KERNELS = 6.1 6.12
crashes:
	@WAYS='$(WAYS)' scripts/crashes.sh $(N) $(KERNELS)

bench:
	@scripts/bench.sh 6.12 $(PARTS)

mutants:
	@scripts/mutants.sh $(NAMES)

rust:
	@scripts/series.sh 7.3
	@scripts/rust.sh

newest:
	@scripts/newest.sh

# Kernels are built of patches/, which an edit makes old.
guest-test:
	@$(if $(KSRC),,scripts/series.sh $(firstword $(GUEST)))
	@scripts/kernel.sh $(GUEST) '$(KSRC)'
	@APPEND='test=$(TEST)' scripts/guest.sh $(firstword $(GUEST)) one $(lastword $(GUEST))

kunit:
	@scripts/series.sh 7.3
	@FILTER='$(FILTER)' scripts/kunit.sh 7.3

shell: kernel
	@scripts/guest.sh $(firstword $(GUEST)) shell $(lastword $(GUEST))

kernel:
	@scripts/kernel.sh $(GUEST) '$(KSRC)'

tools:
	@scripts/tools.sh

series:
	@set -e; for name in $(SERIES); do scripts/series.sh $$name; done

clean:
	rm -rf build

.PHONY: help try demo check check-all check-quick stock arches faults images stress crashes bench mutants newest rust guest-test kunit \
	shell kernel tools series clean
