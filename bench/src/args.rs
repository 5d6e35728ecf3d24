//! Command lines of the form `--name value --name value`. Small on purpose: the only caller is `run.py`.

use std::error::Error;
use std::str::FromStr;

#[derive(Debug)]
pub struct Args(Vec<(String, String)>);

impl Args {
    /// # Errors
    /// Something that is not a `--name` followed by a value.
    pub fn read() -> Result<Self, Box<dyn Error>> {
        Self::parse(std::env::args().skip(1))
    }

    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut pairs = Vec::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").ok_or_else(|| format!("expected --name, found {word}"))?;
            let value = words.next().ok_or_else(|| format!("--{name} has no value"))?;
            pairs.push((name.to_owned(), value));
        }
        Ok(Self(pairs))
    }

    /// Every value given under `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// # Errors
    /// The value is missing or of another type.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<T, Box<dyn Error>> {
        let value = self.all(name).last().ok_or_else(|| format!("--{name} is required"))?;
        value.parse().map_err(|_| format!("--{name} {value} is not of the right type").into())
    }

    /// # Errors
    /// The value is of another type.
    pub fn get_or<T: FromStr>(&self, name: &str, default: T) -> Result<T, Box<dyn Error>> {
        if self.all(name).next().is_none() { Ok(default) } else { self.get(name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_checked() {
        let parse = |line: &str| Args::parse(line.split(' ').map(str::to_owned));
        let args = parse("--port 80 --header a:1 --header b:2").unwrap();
        assert_eq!(args.get::<u16>("port").unwrap(), 80);
        assert_eq!(args.all("header").collect::<Vec<_>>(), ["a:1", "b:2"]);
        assert_eq!(args.get_or("rate", 7).unwrap(), 7);
        assert!(args.get::<u16>("header").is_err() && args.get::<u16>("rate").is_err());
        assert!(parse("port 80").is_err() && parse("--port").is_err());
    }
}
