// SPDX-License-Identifier: GPL-2.0-only

//! Structured events for drivers in Rust.
//!
//! ```ignore
//! #[macro_use]
//! mod evlog;
//!
//! evl_err!("queue %d stalled for %u ms", queue, ms);
//! ```
//!
//! The literal is the event's format, in the conversions of printk(), and makes its id. The values
//! are recorded with their types. `pr_err!()` makes a text of both: all of its messages have the
//! format `"%s: %pA"`.
//!
//! Promise: a value of another type than its conversion takes, one too many or one too few does
//! not compile. `%s` takes `&CStr`; `%d` takes a signed integer, `%u`, `%x` and `%o` an unsigned
//! one: of up to 32 bits, with `ll` of 64, with `l` and `z` of a pointer's size. `%c` takes `u8`,
//! `%p` a pointer, which is hashed, and `*` an `i32`. Extensions of `%p` are refused.
//!
//! Context: any, NMI included. Needs `CONFIG_EVLOG`. `kernel/evlog.c` has the functions.

use core::ffi::{c_char, c_int, c_uint, c_void, CStr};
use core::ptr::{null, null_mut};

extern "C" {
    fn evl_printf_at(
        callsite: *mut c_void,
        dev: *const c_void,
        facility: *const c_char,
        event_type: c_int,
        severity: c_int,
        fmt: *const c_char,
        ...
    ) -> c_int;
}

/// The type that a conversion takes.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Bytes of a signed integer
    Signed(usize),
    /// Bytes of an unsigned integer
    Unsigned(usize),
    /// A string
    Text,
    /// A pointer
    Pointer,
}

/// A value that an event can have.
pub(crate) trait Value {
    /// Its kind
    const KIND: Kind;
    /// Its type in C, as an argument that `...` takes
    type C;
    /// It, in C
    fn c(self) -> Self::C;
}

macro_rules! impl_value {
    ($($rust:ty => $c:ty, $kind:ident;)*) => {
        $(
            impl Value for $rust {
                const KIND: Kind = Kind::$kind(size_of::<$rust>());
                type C = $c;
                fn c(self) -> $c {
                    self.into()
                }
            }
        )*
    };
}

impl_value! {
    i8 => c_int, Signed;
    i16 => c_int, Signed;
    i32 => c_int, Signed;
    i64 => i64, Signed;
    isize => isize, Signed;
    u8 => c_uint, Unsigned;
    u16 => c_uint, Unsigned;
    u32 => c_uint, Unsigned;
    u64 => u64, Unsigned;
    usize => usize, Unsigned;
}

impl Value for &CStr {
    const KIND: Kind = Kind::Text;
    type C = *const c_char;
    fn c(self) -> *const c_char {
        self.to_bytes_with_nul().as_ptr().cast()
    }
}

impl<T> Value for *const T {
    const KIND: Kind = Kind::Pointer;
    type C = *const c_void;
    fn c(self) -> *const c_void {
        self.cast()
    }
}

/// A format with its NUL.
pub(crate) trait Format {
    /// Its text
    const TEXT: &'static str;
}

const fn is_one_of(byte: u8, set: &[u8]) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

/// Bytes of an integer with this qualifier; those of an int are 4 or less.
const fn size_of_qualifier(fmt: &[u8], from: usize, to: usize) -> usize {
    match to - from {
        0 => 4,
        1 if fmt[from] == b'h' => 4,
        1 if is_one_of(fmt[from], b"lzt") => size_of::<usize>(),
        2 if fmt[from] == b'h' && fmt[from + 1] == b'h' => 4,
        2 if fmt[from] == b'l' && fmt[from + 1] == b'l' => 8,
        _ => panic!("no such length of a conversion"),
    }
}

/// Panics, while the driver is compiled, if a format does not take these values.
const fn check(fmt: &[u8], kinds: &[Kind]) {
    const DIGITS: &[u8] = b"0123456789";
    let end = fmt.len() - 1;
    let mut at = 0;
    let mut next = 0;

    while at < end {
        assert!(fmt[at] != 0, "a NUL in a format");
        if fmt[at] != b'%' {
            at += 1;
            continue;
        }
        at += 1;
        while is_one_of(fmt[at], b"-+ #0") {
            at += 1;
        }
        let mut number = 0;
        while number < 2 {
            if fmt[at] == b'*' {
                assert!(next < kinds.len(), "more conversions than values");
                assert!(matches!(kinds[next], Kind::Signed(4)), "a '*' takes an i32");
                next += 1;
                at += 1;
            }
            while is_one_of(fmt[at], DIGITS) {
                at += 1;
            }
            number += if number == 0 && fmt[at] == b'.' { 1 } else { 2 };
            if number == 1 {
                at += 1;
            }
        }
        let qualifier = at;
        while is_one_of(fmt[at], b"hlzt") {
            at += 1;
        }
        let size = size_of_qualifier(fmt, qualifier, at);
        let letter = fmt[at];
        at += 1;
        if letter == b'%' {
            continue;
        }
        assert!(next < kinds.len(), "more conversions than values");
        assert!(
            match (letter, kinds[next]) {
                (b'd' | b'i', Kind::Signed(bytes)) => bytes == size || (size == 4 && bytes < 4),
                (b'u' | b'x' | b'X' | b'o', Kind::Unsigned(bytes)) => {
                    bytes == size || (size == 4 && bytes < 4)
                }
                (b'c', Kind::Unsigned(1)) | (b's', Kind::Text) => true,
                (b'p', Kind::Pointer) => !fmt[at].is_ascii_alphanumeric(),
                _ => false,
            },
            "a value is of another type than its conversion takes"
        );
        next += 1;
    }
    assert!(next == kinds.len(), "more values than conversions");
}

/// Values of an event, as a tuple.
pub(crate) trait Values {
    /// Their kinds
    const KINDS: &'static [Kind];
    /// Raises an event. Returns 0 or a negative error number, as `evl_printf()` does.
    fn raise<F: Format>(self, facility: &CStr, event_type: c_int, severity: c_int) -> c_int;
}

macro_rules! impl_values {
    ($($name:ident)*) => {
        impl<$($name: Value),*> Values for ($($name,)*) {
            const KINDS: &'static [Kind] = &[$($name::KIND),*];
            #[allow(non_snake_case)]
            fn raise<F: Format>(
                self,
                facility: &CStr,
                event_type: c_int,
                severity: c_int,
            ) -> c_int {
                const { check(F::TEXT.as_bytes(), Self::KINDS) };
                let ($($name,)*) = self;
                let fmt = F::TEXT.as_ptr().cast();
                // SAFETY: Format and facility end with a NUL, the strings, too. The values are
                // those that the format takes: that was checked at compile time.
                unsafe {
                    evl_printf_at(null_mut(), null(), facility.c(), event_type,
                                  severity, fmt $(, $name.c())*)
                }
            }
        }
    };
}

impl_values!();
impl_values!(A);
impl_values!(A B);
impl_values!(A B C);
impl_values!(A B C D);
impl_values!(A B C D E);
impl_values!(A B C D E F0);
impl_values!(A B C D E F0 G);
impl_values!(A B C D E F0 G H);

/// Raises an event of a facility, an event type and a severity, 0 to 7.
macro_rules! evl_printf {
    ($facility:expr, $event_type:expr, $severity:expr, $fmt:literal $(, $value:expr)* $(,)?) => {{
        struct Fmt;
        impl $crate::evlog::Format for Fmt {
            const TEXT: &'static str = concat!($fmt, "\0");
        }
        $crate::evlog::Values::raise::<Fmt>(($($value,)*), $facility, $event_type, $severity)
    }};
}

/// The module's name, as a facility
pub(crate) const FACILITY: &CStr = match CStr::from_bytes_with_nul(crate::__LOG_PREFIX) {
    Ok(name) => name,
    Err(_) => panic!("the module's name has a NUL in it"),
};

macro_rules! evl_severity {
    ($dollar:tt $($(#[$doc:meta])* $name:ident $severity:literal;)*) => {
        $(
            $(#[$doc])*
            #[allow(unused_macros)]
            macro_rules! $name {
                ($dollar($dollar arg:tt)+) => {
                    evl_printf!($crate::evlog::FACILITY, 0, $severity, $dollar($dollar arg)+)
                };
            }
        )*
    };
}

evl_severity! { $
    /// Raises an event of severity LOG_EMERG; the format's CRC tells its kind.
    evl_emerg 0;
    /// Likewise, LOG_ALERT
    evl_alert 1;
    /// Likewise, LOG_CRIT
    evl_crit 2;
    /// Likewise, LOG_ERR
    evl_err 3;
    /// Likewise, LOG_WARNING
    evl_warn 4;
    /// Likewise, LOG_NOTICE
    evl_notice 5;
    /// Likewise, LOG_INFO
    evl_info 6;
    /// Likewise, LOG_DEBUG
    evl_debug 7;
}
