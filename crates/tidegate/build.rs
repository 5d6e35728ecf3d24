//! The linker that Rust brings for Linux can lay equal functions on each other, which generic code has many of.

#![expect(clippy::disallowed_methods, reason = "Cargo tells a build script everything in its environment")]

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RUSTC_LINKER");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|set| set == value);
    // Another linker may not know the word.
    let is_own_linker = is("TARGET", "x86_64-unknown-linux-gnu") && env::var_os("RUSTC_LINKER").is_none();
    if is_own_linker && is("PROFILE", "release") {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}
