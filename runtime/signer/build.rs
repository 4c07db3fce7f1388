//! Tells the linker that Node provides the symbols of its addon interface.

fn main() {
    napi_build::setup();
}
