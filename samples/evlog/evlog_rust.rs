// SPDX-License-Identifier: GPL-2.0-only

//! Raises structured events from Rust, and prints a message, when it is loaded.

use kernel::prelude::*;

#[macro_use]
mod evlog;

module! {
    type: EvlogRust,
    name: "evlog_rust",
    authors: ["kerror maintainers"],
    description: "Raises structured events from Rust",
    license: "GPL v2",
}

struct EvlogRust;

impl kernel::Module for EvlogRust {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let lba: u64 = 123_456_789_012;

        pr_info!("bad block at {} of {}\n", lba, "sda");
        evl_err!("bad block at %llu of %s\n", lba, c"sda");
        evl_warn!("queue %d stalled for %u ms", -3, 250u32);
        Ok(EvlogRust)
    }
}
