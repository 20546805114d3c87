use std::os::unix::fs::PermissionsExt;

use rstest::rstest;

use super::*;

fn names() -> (TenantId, PluginId, CredentialId) {
    (TenantId::new("acme").unwrap(), PluginId::new("acme.crm").unwrap(), CredentialId::new("api").unwrap())
}

fn shown(filled: &Filled) -> String {
    match &filled.placed {
        Placed::Header(name, value) => format!("{name}: {}", value.to_str().unwrap()),
        Placed::Query(pair) => pair.expose().to_owned(),
    }
}

// Invented secrets.
#[rstest]
#[case::bearer(CredentialKind::Bearer, "authorization: Bearer t0ken/+=")]
#[case::header(
    CredentialKind::Header { name: "X-Api-Key".into(), scheme: None },
    "x-api-key: t0ken/+="
)]
#[case::header_scheme(
    CredentialKind::Header { name: "Authorization".into(), scheme: Some("Token".into()) },
    "authorization: Token t0ken/+="
)]
#[case::basic(CredentialKind::Basic, "authorization: Basic YW5hOnM6M2NyZXQ=")]
#[case::query(CredentialKind::Query { name: "api_key".into() }, "api_key=t0ken%2F%2B%3D")]
fn each_kind_fills_its_slot(#[case] kind: CredentialKind, #[case] expected: &str) {
    let secret = Secret::new([("token", "t0ken/+="), ("user", "ana"), ("password", "s:3cret")]);
    assert_eq!(shown(&fill(&kind, &secret).unwrap()), expected);
}

#[rstest]
#[case::no_token(CredentialKind::Bearer, &[("password", "x")], "the secret has no field `token`; add it")]
#[case::no_user(CredentialKind::Basic, &[("password", "x")], "the secret has no field `user`; add it")]
#[case::line_break(
    CredentialKind::Bearer,
    &[("token", "a\r\nX-Evil: 1")],
    "the field `token` of the secret holds a character that cannot stand there; check it for line breaks"
)]
#[case::colon_in_user(
    CredentialKind::Basic,
    &[("user", "a:b"), ("password", "x")],
    "the field `user` of the secret holds a character that cannot stand there; check it for line breaks"
)]
fn a_secret_that_does_not_fit_is_an_error_without_its_value(
    #[case] kind: CredentialKind,
    #[case] fields: &[(&str, &str)],
    #[case] expected: &str,
) {
    let secret = Secret::new(fields.iter().copied());
    assert_eq!(fill(&kind, &secret).err().unwrap().to_string(), expected);
}

#[test]
fn a_secret_shows_its_fields_and_not_their_values() {
    let secret = Secret::new([("token", "t0ken"), ("user", "ana")]);
    assert_eq!(format!("{secret:?}"), r#"{"token", "user"}"#);
}

#[test]
fn a_placed_header_is_marked_as_a_secret() {
    let filled = header("authorization", None, &Clear::from("t0ken")).unwrap();
    let Placed::Header(_, value) = filled.placed else { panic!() };
    assert_eq!(format!("{value:?}"), "Sensitive");
}

fn file(text: &str, mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

#[tokio::test]
async fn a_file_holds_secrets_by_tenant_plugin_and_credential() {
    let (_folder, path) = file("[acme.\"acme.crm\".api]\ntoken = \"t0ken\"\n", 0o600);
    let source = FileCredentials::open(path).unwrap();
    let (tenant, plugin, credential) = names();
    let secret = source.secret(&tenant, &plugin, &credential).await.unwrap();
    assert_eq!(secret.fields()["token"].expose(), "t0ken");
    let other = TenantId::new("other").unwrap();
    let error = source.secret(&other, &plugin, &credential).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no secret is stored; add the table [other.\"acme.crm\".api] to the file of credentials"
    );
}

#[rstest]
#[case::group(0o640)]
#[case::others(0o604)]
#[case::writable_by_group(0o620)]
fn a_file_that_others_may_open_is_refused_and_the_cure_is_named(#[case] mode: u32) {
    let (_folder, path) = file("", mode);
    let error = FileCredentials::open(&path).unwrap_err().to_string();
    assert!(error.contains(&format!("(mode {mode:o})")), "{error}");
    assert!(error.ends_with(&format!("run: chmod 600 {}", path.display())), "{error}");
}

#[rstest]
#[case::not_toml("[acme.crm.api]\ntoken = s3cr3t-value")]
#[case::not_a_text("[acme.crm.api]\ntoken = 31415926")]
#[case::too_flat("token = \"s3cr3t-value\"")]
fn an_error_in_the_file_never_quotes_it(#[case] text: &str) {
    let (_folder, path) = file(text, 0o600);
    let error = FileCredentials::open(&path).unwrap_err();
    let chain = format!("{error} {error:?}");
    assert!(!chain.contains("s3cr3t") && !chain.contains("31415926"), "{chain}");
    assert!(error.to_string().contains("write [tenant.plugin.credential]"), "{error}");
}
