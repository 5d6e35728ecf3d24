//! Packs what is known of models, a chapter for each provider, and the providers themselves.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=data/models.json");
    println!("cargo:rerun-if-changed=data/providers.json");
    let text = std::fs::read_to_string("data/models.json")?;
    let models: BTreeMap<&str, &RawValue> = serde_json::from_str(&text)?;
    let chapters: Vec<(&str, &str)> = models.iter().map(|(id, models)| (*id, models.get())).collect();
    tidegate_packed::pack("models", &chapters)?;

    let providers = std::fs::read_to_string("data/providers.json")?;
    tidegate_packed::pack("providers", &[("providers", providers)])
}
