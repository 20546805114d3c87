use super::*;
use proptest::prelude::*;
use rstest::rstest;

fn written(value: &str, encoders: &[Encoder], language: Language, bare: bool) -> Result<String, Unencodable> {
    let mut out = String::new();
    write_value(&mut out, value, encoders, language, bare).map(|()| out)
}

#[rstest]
#[case::literal("a", 1, vec![])]
#[case::hole("a{phone}b", 3, vec!["phone"])]
#[case::setting("{setting.server}/x", 2, vec!["setting.server"])]
#[case::json_braces(r#"{"a":{phone}}"#, 3, vec!["phone"])]
#[case::empty_object("{}", 1, vec![])]
#[case::unclosed("{phone", 1, vec![])]
#[case::upper_is_literal("{Phone}", 1, vec![])]
fn holes_are_names_in_braces(#[case] text: &str, #[case] pieces: usize, #[case] holes: Vec<&str>) {
    let template = Template::parse(text).unwrap();
    assert_eq!(template.pieces.len(), pieces);
    assert_eq!(template.holes().collect::<Vec<_>>(), holes);
}

#[test]
fn an_unknown_encoder_is_an_error() {
    assert_eq!(Template::parse("{a:rot13}"), Err(TemplateError::Encoder("rot13".into())));
}

#[rstest]
#[case::query("a b&c=d", vec![], Language::Query, "a%20b%26c%3Dd")]
#[case::query_plus("+5511", vec![], Language::Query, "%2B5511")]
#[case::path("a b", vec![], Language::Path, "a%20b")]
#[case::path_percent("%2f", vec![], Language::Path, "%252f")]
#[case::json("a\"b\\c\n", vec![], Language::Json, r#""a\"b\\c\n""#)]
#[case::json_control("\u{1}", vec![], Language::Json, r#""\u0001""#)]
#[case::soql("O'Neil\\", vec![], Language::Soql, r"'O\'Neil\\'")]
#[case::odata("O'Neil", vec![], Language::Odata, "'O''Neil'")]
#[case::base64_in_query("??>", vec![Encoder::Base64], Language::Query, "Pz8%2B")]
#[case::base64url("??>", vec![Encoder::Base64Url], Language::Query, "Pz8-")]
#[case::base64url_padded("a", vec![Encoder::Base64Url], Language::Query, "YQ%3D%3D")]
#[case::base64url_bare("a", vec![Encoder::Base64UrlNoPad], Language::Header, "YQ")]
#[case::chain("a", vec![Encoder::Base64, Encoder::Base64Url], Language::Query, "WVE9PQ%3D%3D")]
fn the_place_decides_the_spelling(
    #[case] value: &str,
    #[case] encoders: Vec<Encoder>,
    #[case] language: Language,
    #[case] expected: &str,
) {
    assert_eq!(written(value, &encoders, language, false).unwrap(), expected);
}

#[rstest]
#[case::dot(".", Language::Path)]
#[case::dots("..", Language::Path)]
#[case::empty("", Language::Path)]
#[case::slash("a/b", Language::Path)]
#[case::backslash("a\\b", Language::Path)]
#[case::control("a\u{0}", Language::Path)]
#[case::crlf("a\r\nX: y", Language::Header)]
#[case::accent("ã", Language::Header)]
#[case::soql_null("a\u{0}", Language::Soql)]
#[case::odata_newline("a\n", Language::Odata)]
fn what_cannot_be_written_safely_is_refused(#[case] value: &str, #[case] language: Language) {
    assert_eq!(written(value, &[], language, false), Err(Unencodable));
}

#[rstest]
#[case::good(r#"[["a","=",{phone}]]"#, Language::Json, None)]
#[case::in_quotes(r#"["{phone}"]"#, Language::Json, Some(TemplateError::Quoted("phone".into(), Language::Json)))]
#[case::as_key(r#"{ {phone}:1}"#, Language::Json, Some(TemplateError::NotJson(String::new())))]
#[case::not_json("[", Language::Json, Some(TemplateError::NotJson(String::new())))]
#[case::escaped_quote(r#"["a\"",{phone}]"#, Language::Json, None)]
#[case::open_quote(r#"["a]"#, Language::Json, Some(TemplateError::OpenQuote))]
#[case::soql("SELECT Id FROM Contact WHERE Phone = {phone}", Language::Soql, None)]
#[case::soql_quoted("WHERE Phone = '{phone}'", Language::Soql, Some(TemplateError::Quoted("phone".into(), Language::Soql)))]
#[case::odata_doubled("name eq 'O''Neil' and phone eq {phone}", Language::Odata, None)]
fn a_hole_is_a_whole_value(
    #[case] text: &str,
    #[case] language: Language,
    #[case] expected: Option<TemplateError>,
) {
    let got = Template::parse(text).unwrap().check(language).err();
    match (&got, &expected) {
        (Some(TemplateError::NotJson(_)), Some(TemplateError::NotJson(_))) => {}
        _ => assert_eq!(got, expected),
    }
}

/// Reads a SOQL literal as the language's documentation describes it; our own check on our own writer.
fn read_soql(text: &str) -> Option<String> {
    let mut chars = text.strip_prefix('\'')?.strip_suffix('\'')?.chars();
    let mut out = String::new();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\'' => return None,
            '\\' => match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                c @ ('\'' | '\\') => c,
                _ => return None,
            },
            c => c,
        });
    }
    Some(out)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn parse_never_panics(text in ".{0,200}") {
        let _ = Template::parse(&text).map(|t| { let _ = t.check(Language::Json); t.check(Language::Soql) });
    }

    #[test]
    fn a_query_value_cannot_leave_its_place(value in any::<String>()) {
        let out = written(&value, &[], Language::Query, false).unwrap();
        prop_assert!(out.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
        let url = url::Url::parse(&format!("https://a.example/p?x={out}&y=1")).unwrap();
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(pairs, vec![("x".to_owned(), value), ("y".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_path_value_stays_one_segment(value in any::<String>()) {
        if let Ok(out) = written(&value, &[], Language::Path, false) {
            let url = url::Url::parse(&format!("https://a.example/p/{out}/q")).unwrap();
            let segments: Vec<_> = url.path_segments().unwrap().map(str::to_owned).collect();
            prop_assert_eq!(segments.len(), 3);
            prop_assert_eq!(percent_encoding::percent_decode_str(&segments[1]).decode_utf8().unwrap(), value);
            prop_assert_eq!(url.host_str(), Some("a.example"));
        }
    }

    #[test]
    fn a_json_value_reads_back(value in any::<String>()) {
        let out = written(&value, &[], Language::Json, false).unwrap();
        prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), value);
    }

    #[test]
    fn a_soql_value_reads_back(value in any::<String>()) {
        if let Ok(out) = written(&value, &[], Language::Soql, false) {
            prop_assert_eq!(read_soql(&out), Some(value));
        }
    }

    #[test]
    fn an_odata_value_closes_only_at_its_end(value in any::<String>()) {
        if let Ok(out) = written(&value, &[], Language::Odata, false) {
            let inner = &out[1..out.len() - 1];
            prop_assert_eq!(inner.replace("''", "").matches('\'').count(), 0);
            prop_assert_eq!(inner.replace("''", "'"), value);
        }
    }

    #[test]
    fn a_header_value_has_no_line_break(value in any::<String>()) {
        if let Ok(out) = written(&value, &[], Language::Header, false) {
            prop_assert!(out.bytes().all(|b| (0x20..0x7f).contains(&b)));
        }
    }
}
