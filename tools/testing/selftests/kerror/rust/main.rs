// SPDX-License-Identifier: GPL-2.0-only

//! Raises events by the macros of samples/evlog/evlog.rs; printf.c takes the kernel's place.

#[macro_use]
#[path = "../../../../../samples/evlog/evlog.rs"]
mod evlog;

/// As `module!` makes it
const __LOG_PREFIX: &[u8] = b"evlog_rust\0";

fn main() {
    let lba: u64 = 123_456_789_012;

    evl_emerg!("nothing");
    evl_alert!("%d%% of %s", 7, c"all");
    evl_crit!("%i %hhd %hd %d", i32::MIN, -7i8, -8i16, -9i8);
    evl_err!("bad block at %llu of %s\n", lba, c"sda");
    evl_warn!(
        "%u %hhu %#06hx %o %c",
        u32::MAX,
        255u8,
        0xbeefu16,
        8u32,
        b'z'
    );
    evl_notice!(
        "%lld %ld %zd %lu %zu %tx",
        i64::MIN,
        -1isize,
        -2isize,
        usize::MAX,
        3usize,
        4usize
    );
    evl_info!("%5d|%-8s|%*.*s|%.2s", -7, c"ab", 6, 2, c"xyz", c"pqr");
    evl_debug!("[%s]", c"",);
    let result = evl_printf!(c"mine", 7, 9, "%llx", u64::MAX);
    assert_eq!(result, -28);
}
