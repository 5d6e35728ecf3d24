//! Packs what is known of models, a chapter for each provider, and the providers themselves.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::value::RawValue;

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=data/models.json");
    println!("cargo:rerun-if-changed=data/providers.json");
    let out = std::env::var_os("OUT_DIR").ok_or_else(|| std::io::Error::other("OUT_DIR is not set"))?;
    let out = Path::new(&out);

    let text = std::fs::read_to_string("data/models.json")?;
    let models: BTreeMap<&str, &RawValue> = serde_json::from_str(&text)?;
    let chapters: Vec<(&str, &str)> = models.iter().map(|(id, models)| (*id, models.get())).collect();
    tidegate_packed::pack(out, "models", &chapters)?;

    let providers = std::fs::read_to_string("data/providers.json")?;
    tidegate_packed::pack(out, "providers", &[("providers", &providers)])
}
