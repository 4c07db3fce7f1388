//! `generator::tenant::fuzz::load`: any bytes as a tenant file.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = generator::tenant::fuzz::load(bytes);
});
