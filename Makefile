# SPDX-License-Identifier: GPL-2.0-only
#
# Entry points of this repository; "make help" lists them. The kernel's own
# build does not use this file.

SERIES := 6.1 6.12

help:
	@echo 'Structured error events for Linux: NETLINK_KERROR and evlog.'
	@echo
	@echo 'Each installs what it needs (on Debian, as root) and can be run again:'
	@echo '  make demo    build and boot a patched kernel, show events of a sample driver'
	@echo '  make check   run all tests; the last line is "N passed, N failed"'
	@echo '  make stress  the long form of the stress tests, on debug kernels (EVENTS=N)'
	@echo '  make shell   a shell in the guest of "make demo"'
	@echo
	@echo 'Parts of them:'
	@echo '  make kernel  build that kernel'
	@echo '  make tools   libkerror and kerrord for this machine, in build/tools'
	@echo '  make series  print patches/ anew ($(SERIES))'
	@echo '  make clean   delete build/'
	@echo
	@echo 'KSRC=/path/to/linux makes demo, check, shell and kernel use that tree.'
	@echo 'The tree is only read. A series for it alone:'
	@echo '  scripts/make-series.sh /path/to/linux /path/to/patches'

demo:
	@scripts/demo.sh '$(KSRC)'

check:
	@scripts/check.sh '$(KSRC)'

stress:
	@scripts/stress.sh $(EVENTS)

shell: kernel
	@scripts/guest.sh $(if $(KSRC),custom,6.1) shell

kernel:
	@scripts/kernel.sh $(if $(KSRC),custom,6.1) x86_64 '$(KSRC)'

tools:
	@scripts/tools.sh

series:
	@set -e; for name in $(SERIES); do scripts/series.sh $$name; done

clean:
	rm -rf build

.PHONY: help demo check stress shell kernel tools series clean
