use super::*;

fn matches(pattern: &str, flags: &str, text: &str) -> bool {
    Pattern::new(pattern, flags).unwrap_or_else(|error| panic!("{error}")).is_match(text)
}

#[test]
fn patterns_match_as_in_javascript() {
    let cases = [
        ("^gpt-", "", "gpt-4o", true),
        ("4o$", "", "gpt-4o\n", false),
        ("^b$", "m", "a\nb\nc", true),
        ("A", "i", "a", true),
        ("a.b", "", "a\rb", false),
        ("a.b", "s", "a\nb", true),
        (r"^\d+$", "", "١٢", false),
        (r"^\w+$", "", "größe", false),
        (r"^[\w-.]+@[^\s@]+$", "", "a.b-c@d.e", true),
        (r"^[a-\d]+$", "", "a-5", true),
        (r"^[^\D]$", "", "5", true),
        (r"[\S]", "", "\u{feff}", false),
        (r"\bfoo\b", "", "a foo b", true),
        (r"\Boo", "", "foo", true),
        (r"[\b]", "", "\u{8}", true),
        (r"^[[a]+$", "", "[a[", true),
        (r"^[[a]&&b]$", "", "a&&b]", true),
        (r"^[a&~|-]+$", "", "a&~|-", true),
        ("[]", "", "a", false),
        ("^[^]$", "", "\n", true),
        (r"^\/v1\/\-$", "", "/v1/-", true),
        ("a{1", "", "a{1", true),
        ("a{,2}", "", "a{,2}", true),
        ("^a{2,}?$", "", "aaa", true),
        ("a{1,2,3}", "", "a{1,2,3}", true),
        ("a]", "", "a]", true),
        (r"\x41\u0042\cJ\0", "", "AB\n\0", true),
        (r"^\c$", "", r"\c", true),
        (r"^\ud83d\ude00$", "", "😀", true),
        (r"^\u{1F600}$", "u", "😀", true),
        (r"\p{L}", "", "é", false),
        (r"\p{L}", "u", "é", true),
        ("(?<year>\\d{4})(?:a|b)+?", "", "2024b", true),
        ("# x", "", "# x", true),
        ("", "", "anything", true),
    ];
    for (pattern, flags, text, expected) in cases {
        assert_eq!(matches(pattern, flags, text), expected, "/{pattern}/{flags} on {text:?}");
    }
}

#[test]
fn malformed_and_unsupported_patterns_say_why() {
    let cases = [
        ("(", "", "Invalid regular expression: /(/: Unterminated group"),
        ("(", "gi", "Invalid regular expression: /(/gi: Unterminated group"),
        ("a)", "", "Invalid regular expression: /a)/: Unmatched ')'"),
        ("[", "", "Invalid regular expression: /[/: Unterminated character class"),
        ("*", "", "Invalid regular expression: /*/: Nothing to repeat"),
        ("a**", "", "Invalid regular expression: /a**/: Nothing to repeat"),
        ("{1}", "", "Invalid regular expression: /{1}/: Nothing to repeat"),
        ("a{2,1}", "", "Invalid regular expression: /a{2,1}/: numbers out of order in {} quantifier"),
        ("(?<x", "", "Invalid regular expression: /(?<x/: Invalid capture group name"),
        ("(?<a>.)(?<a>.)", "", "Invalid regular expression: /(?<a>.)(?<a>.)/: Duplicate capture group name"),
        ("(?x)", "", "Invalid regular expression: /(?x)/: Invalid group"),
        ("\\", "", "Invalid regular expression: /\\/: \\ at end of pattern"),
        ("[b-a]", "", "Invalid regular expression: /[b-a]/: Range out of order in character class"),
        ("x", "gg", "Invalid flags supplied to RegExp constructor 'gg'"),
        ("(?=a)", "", "Invalid regular expression: /(?=a)/: look-around is not supported"),
        ("(?<!a)b", "", "Invalid regular expression: /(?<!a)b/: look-around is not supported"),
        (r"(a)\1", "", r"Invalid regular expression: /(a)\1/: a back-reference is not supported"),
        (r"\ud83d", "", r"Invalid regular expression: /\ud83d/: half a surrogate pair is not supported"),
        ("x", "y", "Invalid regular expression: /x/y: the sticky flag is not supported"),
        ("a{1000}{1000}", "", "Invalid regular expression: /a{1000}{1000}/: Nothing to repeat"),
        (
            "(?:a{1000}){1000}",
            "",
            "Invalid regular expression: /(?:a{1000}){1000}/: Regular expression too large",
        ),
    ];
    for (pattern, flags, expected) in cases {
        assert_eq!(Pattern::new(pattern, flags).unwrap_err().to_string(), expected);
    }
}

#[test]
fn replacements_resolve_references() {
    let cases = [
        ("o", "", "[X]", "foo", Some("f[X]o")),
        ("O", "gi", "[$&-$1]", "foo", Some("f[o-$1][o-$1]")),
        ("(f)(o)", "", "$2$1$3$$", "foo", Some("of$3$o")),
        ("(?<n>f)", "", "$<n>!", "foo", Some("f!oo")),
        ("b", "", "<$`|$'>", "abc", Some("a<a|c>c")),
        ("(a)|(b)", "", "[$2]", "a", Some("[]")),
        ("(a)", "", "$01 $10", "a", Some("a a0")),
        ("", "g", "-", "é", Some("-é-")),
        ("b*", "g", "-", "abb", Some("-a--")),
        ("^b|$", "gm", "-", "b\nb", Some("--\n--")),
        ("b", "", "$", "b", Some("$")),
        ("z", "g", "x", "foo", None),
    ];
    for (pattern, flags, template, text, expected) in cases {
        let replaced = Pattern::new(pattern, flags).unwrap().replace(text, template, &mut 100).unwrap();
        assert_eq!(replaced.as_deref(), expected, "/{pattern}/{flags} with {template}");
    }
}

#[test]
fn replacements_do_not_outgrow_their_room() {
    let pattern = Pattern::new("a", "g").unwrap();
    let replaced =
        |template: &str, mut room: usize| pattern.replace("aaaa", template, &mut room).map(|_| room);
    assert_eq!(replaced("xy", 10), Ok(2));
    assert_eq!(replaced("xyz", 10), Err(ReplacementTooLong));
    assert_eq!(replaced("$'$'$'$'", 20), Err(ReplacementTooLong));
}
