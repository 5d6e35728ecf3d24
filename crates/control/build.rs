//! Packs the API's description, without the line breaks that are there for people.

use std::path::Path;

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=data/openapi.json");
    let text = std::fs::read_to_string("data/openapi.json")?;
    let description: serde_json::Value = serde_json::from_str(&text)?;
    let out = std::env::var_os("OUT_DIR").ok_or_else(|| std::io::Error::other("OUT_DIR is not set"))?;
    tidegate_packed::pack(Path::new(&out), "openapi", &[("openapi", &description.to_string())])
}
