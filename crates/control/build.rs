//! Packs the API's description, without the line breaks that are there for people.

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=data/openapi.json");
    let text = std::fs::read_to_string("data/openapi.json")?;
    let description: serde_json::Value = serde_json::from_str(&text)?;
    tidegate_packed::pack("openapi", &[("openapi", description.to_string())])
}
