#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of the rules in rules.d: test_rules.py PROGRAM, of fake_kernel.c. Each fault
is messages as the kernels print them, with format and typed arguments; kerrord has to
raise the condition with that key, and nothing else. Prints TAP, and with a further
argument a table: fault, release, rule, condition, key, text."""

import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

from test_kerrord import CONTROL, Place, health, main, notes, query, write_script

RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rules.d")
RELEASES = ("6.1", "6.12", "7.3")
TESTS = []
TABLE = False
STORM = 100000

# Fault, releases ("": all three), facility, format, arguments, condition, key. An integer
# is 64 bits wide; a text is that of %s or, as of %pg, of the whole conversion. A
# condition that begins with "-" is one that the message clears; None: no rule is for it.
KILLED = ("%s: Killed process %d (%s) total-vm:%lukB, anon-rss:%lukB, file-rss:%lukB, "
          "shmem-rss:%lukB, UID:%u pgtables:%lukB oom_score_adj:%hd")
MCE = "mce: [Hardware Error]: CPU %d: Machine Check%s: %Lx Bank %d: %016Lx"
BLOCK = "%s error, dev %s, sector %llu op 0x%x:(%s) flags 0x%x phys_seg %u prio class %u"
BUFFER = "Buffer I/O error on dev %pg, logical block %llu%s"
MD = ("md/raid1:%s: Disk failure on %pg, disabling device.\n"
      "md/raid1:%s: Operation continuing on %d devices.")
THIN = "device-mapper: thin: %s: switching pool to %s%s mode"
BTRFS = "%sBTRFS %s (device %s%s): "
RATES = "transmit queue %u timed out %u ms"
FAULTS = [
    ("oom-global", "", "kernel", KILLED,
     ("Out of memory", 104, "hlp", 223208, 219328, 4, 632, 0, 476, 0), "out-of-memory", "hlp"),
    ("oom-memcg", "", "kernel", KILLED,
     ("Memory cgroup out of memory", 109, "hlp", 68584, 65152, 4, 632, 0, 176, 0),
     "cgroup-out-of-memory", "hlp"),
    ("page-alloc-failure", "", "kernel",
     "%s: page allocation failure: order:%u, mode:%#x(%pGg), nodemask=%*pbl",
     ("insmod", 9, 0xa20, "GFP_ATOMIC", "(null)"), "page-allocation-failed", "insmod"),
    ("hwpoison", "", "kernel", "Memory failure: %#lx: recovery action for %s: %s",
     (0x4a21, "dirty LRU page", "Recovered"), "memory-failure", ""),
    ("hwpoison", "6.12 7.3", "kernel",
     "Memory failure: %#lx: Sending SIGBUS to %s:%d due to hardware memory corruption",
     (0x3b40b, "hlp", 153), "memory-failure", ""),
    ("mce-corrected", "", "kernel", MCE, (0, "", 0, 8, 0x8c00004000010090), "machine-check", "0 8"),
    ("mce-uncorrected", "", "kernel", MCE, (0, " Exception", 5, 8, 0xbe00000000010090),
     "machine-check-uncorrected", "0 8"),
    ("mce-deferred", "", "kernel", MCE, (0, "", 0, 9, 0xb400000000010090),
     "machine-check-uncorrected", "0 9"),
    ("mce-overflow", "", "kernel", MCE, (0, "", 0, 9, 0xcc00004000010090), "machine-check", "0 9"),
    ("panic", "", "kernel", "kerror: boot %pUb of %s ended in a panic after %llu s: %s",
     ("a627f2cc-8642-d98e-4371-3dddc5ba5212", "6.12.117", 3, "sysrq triggered crash"),
     "boot-ended-in-panic", ""),
    ("power-cut", "", "kerror", "kerror: boot %pUb of %s was cut off after %llu s",
     ("a627f2cc-8642-d98e-4371-3dddc5ba5212", "6.12.117", 3), "boot-cut-off", ""),
    ("panic-imported", "", "kernel", "kerror: boot a627f2cc-8642-d98e-4371-3dddc5ba5212 of "
     "6.1.0-57-amd64 ended in a panic after 3 s: sysrq triggered crash", None,
     "boot-ended-in-panic", ""),
    ("power-cut-imported", "", "kernel", "kerror: boot a627f2cc-8642-d98e-4371-3dddc5ba5212 of "
     "6.1.0-57-amd64 was cut off after 3 s", None, "boot-cut-off", ""),
    ("hung-task", "6.1 6.12", "kernel", "INFO: task %s:%d blocked for more than %ld seconds.",
     ("dd", 128, 5), "task-hung", "dd"),
    ("hung-task", "7.3", "kernel", "INFO: task %s:%d blocked%s for more than %ld seconds.",
     ("dd", 132, " in I/O wait", 5), "task-hung", "dd"),
    ("hung-task-freeze", "6.1 6.12", "kernel",
     "INFO: task %s:%d blocked for more than %ld seconds.", ("touch", 124, 5),
     "task-hung", "touch"),
    ("hung-task-freeze", "7.3", "kernel", "INFO: task %s:%d blocked%s for more than %ld seconds.",
     ("touch", 129, "", 5), "task-hung", "touch"),
    ("softlockup", "", "kernel", "watchdog: BUG: soft lockup - CPU#%d stuck for %us! [%s:%d]",
     (1, 11, "hf_softlockup", 106), "cpu-stuck", "1"),
    ("rcu-stall", "6.1 6.12", "kernel", "rcu: INFO: %s self-detected stall on CPU",
     ("rcu_preempt",), "rcu-stall", "rcu_preempt"),
    ("rcu-stall", "7.3", "kernel", "rcu: INFO: %s detected stalls on CPUs/tasks:",
     ("rcu_preempt",), "rcu-stall", "rcu_preempt"),
    ("irqoff", "", "kernel", "watchdog: BUG: soft lockup - CPU#%d stuck for %us! [%s:%d]",
     (0, 26, "insmod", 105), "cpu-stuck", "0"),
    ("irqoff", "6.12 7.3", "kernel", "rcu: INFO: %s detected stalls on CPUs/tasks:",
     ("rcu_preempt",), "rcu-stall", "rcu_preempt"),
    ("null-deref", "", "kernel", "BUG: kernel NULL pointer dereference, address: %px", (16,),
     "kernel-oops", ""),
    ("gpf", "6.1", "kernel", "%s: %04lx [#%d]%s%s%s%s%s",
     ("general protection fault, probably for non-canonical address 0xdead000000000110", 0, 1,
      " PREEMPT", " SMP", "", "", " NOPTI"), "kernel-oops", ""),
    ("gpf", "6.12", "kernel", "Oops: %s: %04lx [#%d]%s%s%s%s%s",
     ("general protection fault, probably for non-canonical address 0xdead000000000110", 0, 1,
      " PREEMPT", " SMP", "", "", " NOPTI"), "kernel-oops", ""),
    ("gpf", "7.3", "kernel", "Oops: %s: %04lx [#%d]%s%s%s%s",
     ("general protection fault, probably for non-canonical address 0xdead000000000110", 0, 1,
      " SMP", "", "", " NOPTI"), "kernel-oops", ""),
    ("warn", "6.1 6.12", "kernel", "WARNING: CPU: %d PID: %d at %s:%d %pS",
     (1, 105, "hf/hf.c", 78, "hf_init+0xe7/0x1000 [hf]"), "kernel-warning", "hf/hf.c 78"),
    ("warn", "7.3", "kernel", "WARNING: %s:%d at %pS, CPU#%d: %s/%d",
     ("hf.c", 81, "hf_init+0xf1/0xff0 [hf]", 0, "insmod", 114), "kernel-warning", "hf.c 81"),
    ("warn-fmt", "", "hf", "hf: unit %d in state %d", (3, 7), None, None),
    ("warn-fmt", "6.1 6.12", "kernel", "WARNING: CPU: %d PID: %d at %s:%d %pS",
     (1, 105, "hf/hf.c", 80, "hf_init+0x125/0x1000 [hf]"), "kernel-warning", "hf/hf.c 80"),
    ("warn-fmt", "7.3", "kernel", "WARNING: %s:%d at %pS, CPU#%d: %s/%d",
     ("hf.c", 83, "hf_init+0x120/0xff0 [hf]", 0, "insmod", 113), "kernel-warning", "hf.c 83"),
    ("bug-on", "", "kernel", "kernel BUG at %s:%u!", ("hf/hf.c", 82), "kernel-bug", "hf/hf.c 82"),
    ("refcount", "", "kernel", "refcount_t: decrement hit 0; leaking memory.", (),
     "memory-corrupted", ""),
    ("list-del", "", "kernel", "list_del corruption, %px->next is LIST_POISON1 (%px)",
     (0xff3cd0b641bad880, 0xdead000000000100), "memory-corrupted", ""),
    ("sched-atomic", "", "kernel", "BUG: scheduling while atomic: %s/%d/0x%08x",
     ("insmod", 104, 2), "scheduling-while-atomic", "insmod"),
    ("bad-page", "", "kernel", "BUG: Bad page state in process %s  pfn:%05lx", ("insmod", 0x26d9),
     "memory-corrupted", ""),
    ("sysrq-crash", "", "kernel", "Kernel panic - not syncing: %s", ("sysrq triggered crash",),
     "kernel-panic", ""),
    ("segfault", "", "kernel", "%s%s[%d]: segfault at %lx ip %px sp %px error %lx",
     ("", "hlp", 103, 0, 0x401810, 0x7ffe1b70c8a0, 4), "program-crashed", "hlp"),
    ("segfault", "", "kernel", "traps: %s[%d] %s%s ip:%lx sp:%lx error:%lx",
     ("hlp", 105, "trap ", "invalid opcode", 0x4016d0, 0x7ffc9404af00, 0),
     "program-crashed", "hlp"),
    ("taint", "", "kernel", "%s: loading out-of-tree module taints kernel.", ("hf",),
     "kernel-tainted", "hf"),
    ("taint", "", "kernel", "%s: module verification failed: signature and/or required key missing"
     " - tainting kernel", ("hf",), "kernel-tainted", "hf"),
    ("netdev-ref", "", "kernel",
     "unregister_netdevice: waiting for %s to become free. Usage count = %d", ("dum7", 2),
     "interface-not-released", "dum7"),
    ("virtio-ioerror", "", "kernel", BLOCK, ("I/O", "vda", 4088, 0, "READ", 0x80700, 4, 2),
     "disk-error", "vda"),
    ("scsi-medium", "", "kernel", BLOCK, ("critical medium", "sda", 4648, 0, "READ", 0x80700, 4, 2),
     "disk-error", "sda"),
    ("scsi-medium", "", "scsi_mod", "%s %s: %s",
     ("sd", "0:0:0:0", "[sda] tag#99 Sense Key : Medium Error [current] "),
     "medium-error", "0:0:0:0"),
    ("scsi-offline", "", "scsi_mod", "%s %s: %s",
     ("sd", "0:0:0:0", "rejecting I/O to offline device"), "disk-offline", "0:0:0:0"),
    ("sata-unc", "", "libata",
     "ata%u.%02u: exception Emask 0x%x SAct 0x%x SErr 0x%x action 0x%x%s%s",
     (1, 0, 1, 0x1000000, 0, 0, "", ""), "ata-error", "1"),
    ("sata-unc", "", "libata", "ata%u.%02u: failed command: %s", (1, 0, "READ FPDMA QUEUED"),
     "ata-error", "1"),
    ("nvme-error", "6.1", "nvme_core",
     "%s: %s(0x%x) @ LBA %llu, %llu blocks, %s (sct 0x%x / sc 0x%x) %s%s",
     ("nvme0n1", "I/O Cmd", 2, 4096, 8, "I/O Error", 2, 0x81, "", ""), "disk-error", "nvme0n1"),
    ("nvme-error", "6.12 7.3", "nvme_core",
     "%s: %s(0x%x) @ LBA %llu, %u blocks, %s (sct 0x%x / sc 0x%x) %s%s",
     ("nvme0n1", "I/O Cmd", 2, 4096, 8, "I/O Error", 2, 0x81, "", ""), "disk-error", "nvme0n1"),
    ("nvme-timeout", "6.1", "nvme", "%s %s: I/O %d QID %d timeout, reset controller",
     ("nvme", "nvme0", 832, 2), "nvme-timeout", "nvme0"),
    ("nvme-timeout", "6.12 7.3", "nvme",
     "%s %s: I/O tag %d (%04x) opcode %#x (%s) QID %d timeout, aborting req_op:%s(%u) size:%u",
     ("nvme", "nvme0", 960, 960, 2, "I/O Cmd", 1, "READ", 0, 4096), "nvme-timeout", "nvme0"),
    ("nvme-timeout", "", "nvme", "%s %s: %d/%d/%d default/read/poll queues",
     ("nvme", "nvme0", 2, 0, 0), "-nvme-timeout", "nvme0"),
    ("dm-error", "", "kernel", BUFFER, ("dm-0", 0, ", async page read"), "disk-error", "dm-0"),
    ("md-fail", "", "raid1", MD, ("md0", "dm-1", "md0", 1), "array-degraded", "md0"),
    ("md-fail", "6.1", "md_mod", "md: %s: %s %s.", ("md0", "recovery", "done"),
     "-array-degraded", "md0"),
    ("md-fail", "6.12 7.3", "md_mod", "md: %s: %s %s.", ("md0", "recover", "done"),
     "-array-degraded", "md0"),
    ("ext4-corrupt", "", "ext4",
     "EXT4-fs error (device %s): %s:%d: inode #%lu: comm %s: deleted inode referenced: %u",
     ("loop0", "ext4_lookup", 1860, 12, "ls", 15), "filesystem-error", "loop0"),
    ("ext4-remount-ro", "", "ext4", "%sEXT4-fs (%s): Remounting filesystem read-only",
     ("", "dm-0"), "filesystem-read-only", "dm-0"),
    ("ext4-remount-ro", "", "jbd2", "Aborting journal on device %s.", ("dm-0-8",),
     "journal-aborted", "dm-0-8"),
    ("ext4-remount-ro", "", "ext4",
     "%sEXT4-fs (%s): mounted filesystem %pU %s with%s. Quota mode: %s.%s%s",
     ("", "dm-0", "a", "r/w", "", "none", "", ""), "-filesystem-read-only", "dm-0"),
    ("xfs-shutdown", "", "xfs",
     "%sXFS (%s): Filesystem has been shut down due to %s (0x%x).", ("", "dm-0", "log error", 2),
     "filesystem-shut-down", "dm-0"),
    ("xfs-shutdown", "", "xfs", "%sXFS (%s): log I/O error %d", ("", "dm-0", -5),
     "filesystem-error", "dm-0"),
    ("xfs-shutdown", "", "xfs", "%sXFS (%s): Ending clean mount", ("", "dm-0"),
     "-filesystem-shut-down", "dm-0"),
    ("xfs-shutdown", "", "xfs", "%sXFS (%s): Ending recovery (logdev: %s)",
     ("", "dm-0", "internal"), "-filesystem-error", "dm-0"),
    ("btrfs-csum", "", "btrfs", BTRFS + "csum failed root %lld ino %lld off %llu csum 0x%*phN "
     "expected csum 0x%*phN mirror %d",
     ("", "warning", "loop0", "", 5, 257, 4096, "9d4d2d6d", "34e45e96", 1),
     "checksum-failed", "loop0"),
    ("btrfs-csum", "", "btrfs",
     BTRFS + "bdev %s errs: wr %u, rd %u, flush %u, corrupt %u, gen %u",
     ("", "error", "loop0", "", "/dev/loop0", 0, 0, 0, 1, 0), "filesystem-error", "loop0"),
    ("multipath", "", "dm_multipath", "device-mapper: multipath: %s: Failing path %s.",
     ("254:2", "254:0"), "path-failed", "254:2 254:0"),
    ("multipath", "", "dm_multipath", "device-mapper: multipath: %s: Reinstating path %s.",
     ("254:2", "254:0"), "-path-failed", "254:2 254:0"),
    ("thin-full", "", "dm_thin_pool",
     "device-mapper: thin: %s: reached low water mark for data device: sending event.",
     ("254:0",), "thin-pool-low", "254:0"),
    ("thin-full", "", "dm_thin_pool", THIN, ("254:0", "out-of-data-space", " (queue IO)"),
     "thin-pool-full", "254:0"),
    ("thin-full", "", "dm_thin_pool", THIN, ("254:0", "write", ""), "-thin-pool-full", "254:0"),
    ("thin-full", "", "dm_thin_pool", THIN, ("254:0", "write", ""), "-thin-pool-low", "254:0"),
    ("usb-disconnect", "", "usbcore", "%s %s: USB disconnect, device number %d",
     ("usb", "2-1", 2), "usb-disconnected", "2-1"),
    ("usb-disconnect", "", "usbcore", "%s %s: %s SuperSpeed%s%s USB device number %d using %s",
     ("usb", "2-1", "new", "", "", 3, "xhci_hcd"), "-usb-disconnected", "2-1"),
    ("nic-link-e1000", "", "e1000", "e1000: %s NIC Link is Down", ("eth0",), "link-down", "eth0"),
    ("nic-link-e1000", "", "e1000", "e1000: %s NIC Link is Up %d Mbps %s, Flow Control: %s",
     ("eth0", 1000, "Full Duplex", "RX"), "-link-down", "eth0"),
    ("bond-slave", "", "bonding",
     "%s%s%s: (slave %s): link status definitely down, disabling slave",
     ("", "bond0", "", "eth0"), "bond-port-down", "bond0 eth0"),
    ("bond-slave", "", "bonding",
     "%s%s%s: (slave %s): link status definitely up, %u Mbps %s duplex",
     ("", "bond0", "", "eth0", 1000, "full"), "-bond-port-down", "bond0 eth0"),
    ("nic-tx-timeout", "", "kernel", "%s %s %s%s: NETDEV WATCHDOG: CPU: %d: " + RATES,
     ("vmxnet3", "0000:00:01.0", "eth0", "", 0, 0, 5284), "transmit-timeout", "eth0"),
    ("aer-corrected", "6.1 6.12", "kernel",
     "%s %s: PCIe Bus Error: severity=%s, type=%s, (%s)",
     ("virtio-pci", "0000:01:00.0", "Corrected", "Data Link Layer", "Receiver ID"),
     "pcie-corrected", "0000:01:00.0"),
    ("aer-corrected", "7.3", "kernel", "%s %s: %s Bus Error: severity=%s",
     ("virtio-pci", "0000:01:00.0", "PCIe", "Correctable"), "pcie-corrected", "0000:01:00.0"),
    ("aer-fatal", "6.1 6.12", "kernel", "%s %s: AER: PCIe Bus Error: severity=%s, "
     "type=Inaccessible, (Unregistered Agent ID)",
     ("virtio-pci", "0000:01:00.0", "Uncorrected (Fatal)"), "pcie-error", "0000:01:00.0"),
    ("aer-fatal", "7.3", "kernel", "%s %s: AER: %s Bus Error: severity=%s (Inaccessible)",
     ("virtio-pci", "0000:01:00.0", "PCIe", "Uncorrectable (Fatal)"), "pcie-error", "0000:01:00.0"),
    ("aer-fatal", "", "kernel", "%s %s: AER: device recovery failed",
     ("pcieport", "0000:00:01.0"), "pcie-not-recovered", "0000:00:01.0"),
    ("neigh-overflow", "", "kernel", "neighbour: %s: neighbor table overflow!", ("arp_cache",),
     "neighbour-table-full", "arp_cache"),
    ("conntrack-full", "", "nf_conntrack",
     "nf_conntrack: nf_conntrack: table full, dropping packet", (), "conntrack-full", ""),
    ("syn-flood", "6.1", "kernel",
     "TCP: %s: Possible SYN flooding on port %d. %s.  Check SNMP counters.",
     ("request_sock_TCP", 8080, "Sending cookies"), "syn-flood", "8080"),
    ("syn-flood", "6.12 7.3", "kernel", "TCP: %s: Possible SYN flooding on port %pI4:%u. %s.",
     ("request_sock_TCP", "0.0.0.0", 8080, "Sending cookies"), "syn-flood", "8080"),
    ("martian", "6.1 6.12", "kernel", "IPv4: martian source %pI4 from %pI4, on dev %s",
     ("10.8.0.1", "10.5.5.5", "v0"), "martian-source", "v0"),
    ("martian", "7.3", "kernel", "IPv4: martian source (src=%pI4, dst=%pI4, dev=%s)",
     ("10.5.5.5", "10.8.0.1", "v0"), "martian-source", "v0"),
    ("file-max", "", "kernel", "VFS: file-max limit %lu reached", (400,), "file-max-reached", ""),
    ("thermal-critical", "6.1", "kernel",
     "%s %s: %s: critical temperature reached, shutting down",
     ("thermal", "thermal_zone0", "acpitz"), "temperature-critical", "thermal_zone0"),
    ("thermal-critical", "6.12 7.3", "kernel", "%s %s: %s: critical temperature reached",
     ("thermal", "thermal_zone0", "acpitz"), "temperature-critical", "thermal_zone0"),
    ("thermal-critical", "6.1 6.12", "kernel", "reboot: HARDWARE PROTECTION shutdown (%s)",
     ("Temperature too high",), "hardware-protection", ""),
    ("clocksource", "6.1 6.12", "kernel", "clocksource: timekeeping watchdog on CPU%d: Marking "
     "clocksource '%s' as unstable because the skew is too large:", (1, "tsc"),
     "clock-unstable", "tsc"),
    ("clocksource", "7.3", "kernel",
     "clocksource: Marking clocksource %s unstable due to frequency skew", ("tsc",),
     "clock-unstable", "tsc"),
    ("nfs-stall", "", "sunrpc", "%s: server %s not responding, still trying",
     ("nfs", "127.0.0.1"), "nfs-not-responding", "127.0.0.1"),
    ("nfs-stall", "", "sunrpc", "%s: server %s OK", ("nfs", "127.0.0.1"),
     "-nfs-not-responding", "127.0.0.1"),
]

# Other messages of these kernels at boot or in normal use, near to those of the rules
HARMLESS = [
    ("kernel", "kerror: boot %pUb of %s was shut down after %llu s",
     ("a627f2cc-8642-d98e-4371-3dddc5ba5212", "6.12.117", 3)),
    ("kernel", "kerror: boot a627f2cc-8642-d98e-4371-3dddc5ba5212 of 6.1.0 was shut down after 3 s",
     None),
    ("kernel", "e820: [mem %#018Lx-%#018Lx] %s", (0, 0x9fbff, "usable")),
    ("kernel", "mce: CPU supports %d MCE banks", (10,)),
    ("kernel", "rcu: Hierarchical RCU implementation.", ()),
    ("kernel", "clocksource: Switched to clocksource %s", ("tsc",)),
    ("kernel", "%s %s: PME: Signaling with IRQ %d", ("pcieport", "0000:00:01.0", 24)),
    ("kernel", "%s %s: AER: enabled with IRQ %d", ("pcieport", "0000:00:01.0", 24)),
    ("kernel", BLOCK, ("operation not supported", "loop0", 130944, 9, "WRITE_ZEROES", 0x8000800,
                       0, 2)),
    ("scsi_mod", "%s %s: %s", ("sd", "0:0:0:0", "[sda] Write Protect is off")),
    ("scsi_mod", "%s %s: %s", ("sd", "0:0:0:0", "[sda] tag#3 Sense Key : Illegal Request")),
    ("libata", "ata%u: SATA link down (SStatus %X SControl %X)", (1, 0, 0x300)),
    ("libata", "ata%u.%02u: configured for %s%s", (1, 0, "UDMA/100", "")),
    ("md_mod", "md: %s: %s %s.", ("md0", "resync", "done")),
    ("md_mod", "md: %s: %s %s.", ("md0", "recovery", "interrupted")),
    ("xfs", "%sXFS (%s): Mounting V5 Filesystem", ("", "dm-0")),
    ("xfs", "%sXFS (%s): Unmounting Filesystem", ("", "dm-0")),
    ("btrfs", BTRFS + "bdev %s errs: wr %u, rd %u, flush %u, corrupt %u, gen %u",
     ("", "info", "loop0", "", "/dev/loop0", 0, 0, 0, 1, 0)),
    ("usbcore", "%s %s: %s %s USB device number %d using %s",
     ("usb", "1-1", "new", "high-speed", 2, "xhci_hcd")),
    ("kernel", "EXT4-fs (%s): mounted filesystem", ("sda1",)),
    ("my_driver", "%s error, device %s is busy", ("I/O", "x")),
]


def event(facility, form, arguments):
    """The bytes of an event, as include/uapi/linux/evlog.h says; no arguments: imported text"""
    imported = arguments is None
    payload = form.encode() + b"\0" * (not imported)
    arguments = arguments or ()
    conversions = re.findall(r"%[-+ #0]*(\*?)[0-9]*(?:\.[0-9]*)?[hlLzt]*([a-zA-Z])",
                             form.replace("%%", ""))
    assert len(conversions) == len(arguments) or imported, form
    for (star, letter), value in zip(conversions, arguments):
        if star:
            payload += struct.pack("=BBHi", 1, 0, 4, 64)
        if letter == "p" and not isinstance(value, str):
            value = f"{value:016x}"     # %px
        if isinstance(value, str):
            kind, value = 10 if letter == "p" else 8, value.encode()
        else:
            kind, value = (4, struct.pack("=q", value)) if value < 0 else \
                          (6, struct.pack("=Q", value))
            kind = 5 if kind == 4 else kind
        payload += struct.pack("=BBH", kind, 0, len(value)) + value + b"\0" * (-len(value) % 4)
    header = struct.pack("=QQIIIIIIIIIIHHHHBBBB16s60s", 0, 0,
                         0 if imported else zlib.crc32(form.encode()), 0, 0,
                         0x240 if imported else 0x40, 0, 0, 0, 1, 1, len(payload), 0x7af8, 144, 0,
                         0 if imported else len(form) + 1,
                         4, 3, 2 if imported else 3, 0, b"task", facility.encode())
    assert len(header) == 144
    return header + payload


def place_with(folder, messages, count, sections=""):
    """A kerrord with the rules, and a kernel that prints these"""
    with open(os.path.join(folder, "messages"), "wb") as file:
        for message in messages:
            data = event(*message)
            file.write(struct.pack("=I", len(data)) + data)
    place = Place(folder, "[store]\npath = FOLDER/db\n" + sections, events=0, printk=count,
                  rate=10**6, messages=os.path.join(folder, "messages"))
    with open(place.path("conf")) as conf:
        text = conf.read()
    with open(place.path("conf"), "w") as conf:
        conf.write(text.replace("[kerrord]\n", f"[kerrord]\nrules = {RULES}\n"))
    return place


def play(folder, messages):
    """Runs kerrord with the rules while the kernel prints these; its conditions"""
    place = place_with(folder, messages, len(messages))
    place.run_until(lambda: place.stored() == len(messages))
    stored = place.sql("SELECT text FROM event ORDER BY id")
    assert all(row[0] is not None for row in stored), stored
    return health(place, "--all")[1]


def of_release(release):
    return [fault for fault in FAULTS if release in (fault[1].split() or RELEASES)]


def recognise(folder, release):
    """Each fault by itself: its conditions are the expected ones, and no others."""
    names = list(dict.fromkeys(fault[0] for fault in of_release(release)))
    for name in names:
        mine = [fault for fault in of_release(release) if fault[0] == name]
        os.mkdir(os.path.join(folder, name))
        found = play(os.path.join(folder, name), [fault[2:5] for fault in mine])
        heard = [fault for fault in mine if fault[5]]
        wanted = {(fault[5].lstrip("-"), fault[6]) for fault in heard}
        cleared = {(fault[5][1:], fault[6]) for fault in heard if fault[5].startswith("-")}
        assert wanted, name
        assert {(c["name"], c["key"]) for c in found} == wanted, (name, found, wanted)
        for condition in found:
            ended = (condition["name"], condition["key"]) in cleared
            assert condition["raised"] or ended, condition
            if TABLE:
                print("#", name, release, condition["rule"][5:], condition["name"],
                      condition["key"] or "-", "raised" if condition["raised"] else
                      "cleared by " + condition["cleared_by"][5:], condition["text"], sep=" | ")
        assert all(not c["raised"] for c in found if (c["name"], c["key"]) in cleared), found


for RELEASE in RELEASES:
    def function(folder, release=RELEASE):
        recognise(folder, release)
    function.__name__ = "each_fault_of_" + RELEASE + "_is_recognised"
    TESTS.append(function)


def harmless_messages_raise_nothing(folder):
    assert play(folder, HARMLESS) == []


TESTS.append(harmless_messages_raise_nothing)

def a_storm_is_one_condition_and_one_page(folder):
    """100,000 equal events: first, count and last in the store; a metric, a page, a line"""
    page = ("[rule page]\nrunner =\ncommand = /bin/sh FOLDER/page\nkey = disk:arg[1]\n"
            "cooldown = 1h\nfilter = format~\"%s error, dev %s*\"\n")
    place = place_with(folder, [("kernel", BLOCK, ("I/O", "sda", 8, 0, "READ", 0, 1, 2))],
                       STORM, page)
    write_script(place, "page", "echo $KERROR_ARG_1 $KERROR_MORE >>FOLDER/pages\n")
    metric = 'kerror_condition{name="disk-error",key="sda"}'
    place.run_until(lambda: place.stored() == STORM and notes(place, "pages") and
                    place.metric(metric) == 1 and
                    place.metric('kerror_sink_written_total{sink="rule page"}') == STORM,
                    patience=600)
    # The page has a count of its own: those that came until its command ran.
    pages = notes(place, "pages")
    assert len(pages) == 1 and pages[0].startswith("sda "), pages
    found = health(place)[1]
    assert [(c["name"], c["key"], c["count"]) for c in found] == [("disk-error", "sda", STORM)]
    first, last = place.sql("SELECT min(time), max(time) FROM event")[0]
    assert (found[0]["since"], found[0]["last"]) == (first, last), (found, first, last)
    screen = subprocess.run([CONTROL, "health", "--store=" + place.path("db")], text=True,
                            stdout=subprocess.PIPE, timeout=60).stdout
    print("#", *screen.splitlines(), sep="\n# ")
    assert screen.count("disk-error") == 1 and str(STORM) in screen, screen
    rows = query(place.path("db"), "--count-by=event")[0][1:]
    assert len(rows) == 1 and str(STORM) in rows[0], rows


TESTS.append(a_storm_is_one_condition_and_one_page)

if __name__ == "__main__":
    TABLE = len(sys.argv) > 2
    del sys.argv[2:]
    sys.exit(main(TESTS))
