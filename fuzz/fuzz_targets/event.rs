//! `testkit::targets::event`: see there what must hold.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| testkit::targets::event(bytes));
