//! Packs the prices, a chapter for each provider.

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=data/prices.tsv");
    let text = std::fs::read_to_string("data/prices.tsv")?;
    let lines: Vec<(&str, &str)> =
        text.split_inclusive('\n').map(|line| (line.split('\t').next().unwrap_or_default(), line)).collect();
    let chapters: Vec<(&str, String)> = lines
        .chunk_by(|(provider, _), (next, _)| provider == next)
        .map(|own| (own[0].0, own.iter().map(|(_, line)| *line).collect()))
        .collect();
    tidegate_packed::pack("prices", &chapters)
}
