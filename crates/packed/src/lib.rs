//! Texts that are part of the program, deflated: an eighth of their size for the price of inflating, once, what is asked for.
//!
//! A text is cut into chapters by whoever builds it in (a build script, with [`pack`]), so that of a catalogue only the part
//! about one provider is inflated and held, when that part is first asked for.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// A part of a text, found by its name.
#[derive(Debug)]
pub struct Chapter {
    name: &'static str,
    packed: &'static [u8],
    /// Where in `packed` it is.
    begin: usize,
    end: usize,
    text: OnceLock<String>,
}

impl Chapter {
    /// As [`pack`] writes it.
    pub const fn new(name: &'static str, packed: &'static [u8], begin: usize, end: usize) -> Self {
        Self { name, packed, begin, end, text: OnceLock::new() }
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Inflated when first asked for, and held from then on. Empty if it does not inflate, which the tests of who packs a text
    /// would show.
    pub fn text(&'static self) -> &'static str {
        self.text.get_or_init(|| {
            let mut text = String::new();
            let packed = self.packed.get(self.begin..self.end).unwrap_or_default();
            if DeflateDecoder::new(packed).read_to_string(&mut text).is_err() {
                text.clear();
            }
            text.shrink_to_fit();
            text
        })
    }
}

/// The text of the chapter of that name; chapters are in the order of their names.
pub fn find(chapters: &'static [Chapter], name: &str) -> Option<&'static str> {
    let at = chapters.binary_search_by(|chapter| chapter.name.cmp(name)).ok()?;
    chapters.get(at).map(Chapter::text)
}

/// For build scripts: writes `NAME.z`, the chapters one after the other, and `NAME.rs`, which includes it as
/// `static NAME: [Chapter; …]` (upper case), to where cargo wants what they make.
///
/// # Errors
/// When it is no build script that calls, the chapters are not in the order of their names, or a file cannot be written.
pub fn pack(name: &str, chapters: &[(&str, impl AsRef<str>)]) -> io::Result<()> {
    let directory = std::env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    write(Path::new(&directory), name, chapters)
}

fn write(directory: &Path, name: &str, chapters: &[(&str, impl AsRef<str>)]) -> io::Result<()> {
    if !chapters.is_sorted_by(|(one, _), (next, _)| one < next) {
        return Err(io::Error::other(format!("the chapters of {name} are not in the order of their names")));
    }
    let (mut packed, mut rows) = (Vec::new(), String::new());
    for (chapter, text) in chapters {
        let begin = packed.len();
        let mut encoder = DeflateEncoder::new(&mut packed, Compression::best());
        encoder.write_all(text.as_ref().as_bytes())?;
        encoder.finish()?;
        let end = packed.len();
        writeln!(rows, "    Chapter::new({chapter:?}, PACKED, {begin}, {end}),").map_err(io::Error::other)?;
    }
    let source = format!(
        "static {}: [tidegate_packed::Chapter; {}] = {{\n    use tidegate_packed::Chapter;\n    \
         const PACKED: &[u8] = include_bytes!(\"{name}.z\");\n    [\n{rows}    ]\n}};\n",
        name.to_uppercase(),
        chapters.len()
    );
    std::fs::write(directory.join(format!("{name}.z")), packed)?;
    std::fs::write(directory.join(format!("{name}.rs")), source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_found_as_it_was() {
        let directory = std::env::temp_dir().join(format!("tidegate-packed-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let long = "tide ".repeat(10_000);
        write(&directory, "book", &[("a", long.as_str()), ("b", ""), ("c", "潮")]).unwrap();
        let source = std::fs::read_to_string(directory.join("book.rs")).unwrap();
        let packed: &'static [u8] = Vec::leak(std::fs::read(directory.join("book.z")).unwrap());
        assert!(packed.len() < 500, "{}", packed.len());
        let row = |line: &str| -> Chapter {
            let mut parts =
                line.trim().trim_start_matches("Chapter::new(").trim_end_matches("),").split(", ");
            let name = String::leak(parts.next().unwrap().trim_matches('"').to_owned());
            let (begin, end) =
                (parts.nth(1).unwrap().parse().unwrap(), parts.next().unwrap().parse().unwrap());
            Chapter::new(name, packed, begin, end)
        };
        let rows = source.lines().filter(|line| line.trim().starts_with("Chapter::new("));
        let chapters: &'static [Chapter] = Vec::leak(rows.map(row).collect());
        assert_eq!(find(chapters, "a"), Some(long.as_str()));
        assert_eq!((find(chapters, "b"), find(chapters, "c")), (Some(""), Some("潮")));
        assert_eq!((find(chapters, ""), find(chapters, "d")), (None, None));
        std::fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn chapters_that_could_not_be_found_are_not_packed() {
        let directory = std::env::temp_dir();
        for chapters in [[("b", ""), ("a", "")], [("a", ""), ("a", "")]] {
            assert!(write(&directory, "never", &chapters).is_err());
        }
        assert!(!directory.join("never.rs").exists());
    }

    #[test]
    fn what_does_not_inflate_is_empty() {
        static BROKEN: [Chapter; 2] =
            [Chapter::new("beyond", b"abc", 1, 9), Chapter::new("wrong", b"abc", 0, 3)];
        assert_eq!((find(&BROKEN, "beyond"), find(&BROKEN, "wrong")), (Some(""), Some("")));
    }
}
