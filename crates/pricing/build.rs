//! Packs the prices, a chapter for each provider.

use std::path::Path;

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=data/prices.tsv");
    let text = std::fs::read_to_string("data/prices.tsv")?;
    let mut chapters: Vec<(&str, &str)> = Vec::new();
    let (mut begin, mut end) = (0, 0);
    let mut of = "";
    for line in text.split_inclusive('\n') {
        let provider = line.split('\t').next().unwrap_or_default();
        if provider != of {
            chapters.extend((end > begin).then(|| (of, &text[begin..end])));
            (of, begin) = (provider, end);
        }
        end += line.len();
    }
    chapters.push((of, &text[begin..end]));
    let out = std::env::var_os("OUT_DIR").ok_or_else(|| std::io::Error::other("OUT_DIR is not set"))?;
    tidegate_packed::pack(Path::new(&out), "prices", &chapters)
}
