use super::*;
use rstest::rstest;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn parse(text: &str) -> Result<ServerConfig, ConfigError> {
    ServerConfig::parse(text, Path::new("ramal.toml"), Path::new("/etc/ramal"))
}

fn whole() -> String {
    format!(
        r#"
data = "data"
[[tenant]]
id = "acme"
[[tenant.source]]
id = "pbx"
secret = "{SECRET}"
[[tenant.token]]
id = "panel"
token-file = "panel.token"
[[tenant.plugin]]
file = "plugins/practice.wasm"
grant = "/srv/grants/practice.toml"
"#
    )
}

#[test]
fn what_is_left_out_has_a_safe_default() {
    let config = parse(&whole()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:7700");
    assert!(!config.practice);
    assert_eq!(config.tenants[0].region, "BR");
    assert_eq!(config.tenants[0].ambiguous, Ambiguity::Ask);
}

#[test]
fn the_names_of_one_person_may_stand_twice() {
    let agent = "[[tenant.agent]]\nextension = \"2001\"\nnames = [\"Ana\", \"ana\", \"2001\"]\n";
    let text = whole().replacen("[[tenant.token]]", &format!("{agent}[[tenant.token]]"), 1);
    assert_eq!(parse(&text).unwrap().tenants[0].agents.len(), 1);
}

#[test]
fn relative_paths_start_at_the_files_folder() {
    let config = parse(&whole()).unwrap();
    assert_eq!(config.database(), Path::new("/etc/ramal/data/ramal.sqlite"));
    let tenant = &config.tenants[0];
    assert_eq!(tenant.tokens[0].token_file.as_deref(), Some(Path::new("/etc/ramal/panel.token")));
    assert_eq!(tenant.plugins[0].file, Path::new("/etc/ramal/plugins/practice.wasm"));
    assert_eq!(tenant.plugins[0].grant, Path::new("/srv/grants/practice.toml"));
}

#[rstest]
#[case::unknown_key(
    "data = \"d\"",
    "data = \"d\"\nlisten-on = 1",
    "ramal.toml:3:1: unknown field `listen-on`"
)]
#[case::unknown_key_of_a_source("id = \"pbx\"", "id = \"pbx\"\nhmac = true", "unknown field `hmac`")]
#[case::bad_name("id = \"acme\"", "id = \"Acme Ltda\"", "not a tenant name: use 1 to 64 of a-z")]
#[case::bad_region(
    "id = \"acme\"",
    "id = \"acme\"\nregion = \"Brasil\"",
    "`region` is a country's two letters"
)]
#[case::bad_policy(
    "id = \"acme\"",
    "id = \"acme\"\nambiguous = \"first\"",
    "`ambiguous` is `ask`, `latest` or `owner`"
)]
#[case::an_extension_that_a_dialplan_would_read(
    "[[tenant.token]]",
    "[[tenant.agent]]\nextension = \"2001,n,System(4242)\"\n[[tenant.token]]",
    "agent 1: `extension` is 1 to 16 letters and digits"
)]
#[case::two_people_of_one_name(
    "[[tenant.token]]",
    "[[tenant.agent]]\nextension = \"2001\"\nnames = [\"Ana 4242\"]\n[[tenant.agent]]\nextension = \"2002\"\nnames = [\"ana  4242\"]\n[[tenant.token]]",
    "agents 1 and 2 share a name or an extension"
)]
#[case::no_secret("secret = \"SECRET\"", "", "source `pbx` needs either `secret-file` or `secret`")]
#[case::two_secrets(
    "secret = \"SECRET\"",
    "secret = \"SECRET\"\nsecret-file = \"f\"",
    "source `pbx` needs either"
)]
#[case::secret_is_a_number("secret = \"SECRET\"", "secret = 4242", "a secret is written as a text in quotes")]
#[case::reserved_source("id = \"pbx\"", "id = \"practice\"", "this name is kept for simulated calls")]
#[case::bad_public_url(
    "data = \"d\"",
    "data = \"d\"\npublic-url = \"ftp://x\"",
    "`public-url` starts with https://"
)]
fn a_mistake_is_named_with_what_to_do(#[case] old: &str, #[case] new: &str, #[case] then: &str) {
    let text = format!(
        "\ndata = \"d\"\n[[tenant]]\nid = \"acme\"\n[[tenant.source]]\nid = \"pbx\"\nsecret = \"{SECRET}\"\n[[tenant.token]]\nid = \"panel\"\ntoken = \"{SECRET}\"\n"
    );
    let text = text.replacen(&old.replace("SECRET", SECRET), &new.replace("SECRET", SECRET), 1);
    let error = parse(&text).unwrap_err().to_string();
    assert!(error.contains(then), "{error}");
    assert!(!error.contains(SECRET) && !error.contains("4242"), "{error}");
}

#[rstest]
#[case::no_tenant("data = \"d\"", "there is no `[[tenant]]`")]
#[case::no_token("data = \"d\"\n[[tenant]]\nid = \"a\"", "tenant `a` has no `[[tenant.token]]`")]
#[case::not_toml("data = ", "ramal.toml:1:")]
#[case::no_data("", "missing field `data`")]
fn what_is_missing_is_named(#[case] text: &str, #[case] then: &str) {
    let error = parse(text).unwrap_err().to_string();
    assert!(error.contains(then), "{error}");
}

#[test]
fn names_are_unique() {
    let again = format!("{}\n{}", whole(), whole().replace("data = \"data\"", ""));
    assert!(parse(&again).unwrap_err().to_string().contains("tenant `acme` stands twice"));
    let other = again.replacen("id = \"acme\"", "id = \"beta\"", 1);
    assert!(parse(&other).unwrap_err().to_string().contains("source `pbx` stands twice"));
}

#[test]
fn nothing_of_it_prints_a_secret() {
    assert!(!format!("{:?}", parse(&whole()).unwrap()).contains(SECRET));
}

fn with_webhook(lines: &str) -> Result<ServerConfig, ConfigError> {
    parse(&format!("{}[[tenant.webhook]]\n{lines}", whole()))
}

#[test]
fn a_webhook_is_told_everything_that_is_not_personal_unless_it_says_otherwise() {
    let config =
        with_webhook("id = \"erp\"\nurl = \"https://erp.example/in\"\nsecret-file = \"erp.secret\"").unwrap();
    let webhook = &config.tenants[0].webhooks[0];
    assert_eq!(webhook.secret_file.as_deref(), Some(Path::new("/etc/ramal/erp.secret")));
    assert!(!webhook.include_personal && webhook.private.is_empty() && webhook.events.len() > 10);
    assert_eq!((config.retention.delivered_days, config.retention.requests_days), (30, 30));
}

#[rstest]
#[case::no_secret("secret-file = \"f\"", "", "webhook `erp` needs either `secret-file` or `secret`")]
#[case::no_event("[\"ended\"]", "[]", "webhook `erp` is told nothing")]
#[case::no_such_event(
    "[\"ended\"]",
    "[\"finished\"]",
    "`events` names one that is none; there are started, answered, ended"
)]
#[case::in_the_clear("https://", "http://", "use https://, or name the private range")]
#[case::not_private("private = []", "private = [\"8.8.8.0/24\"]", "`private` cannot open 8.8.8.0/24")]
#[case::link_local("private = []", "private = [\"169.254.0.0/16\"]", "`private` cannot open")]
#[case::begins_elsewhere("private = []", "private = [\"10.0.0.1/8\"]", "`private` cannot open")]
#[case::password("https://erp", "https://a:b@erp", "no user name or password may stand in the address")]
fn a_webhooks_mistake_is_named_with_what_to_do(#[case] old: &str, #[case] new: &str, #[case] then: &str) {
    let right = "id = \"erp\"\nurl = \"https://erp.example/s3cret\"\nsecret-file = \"f\"\nevents = [\"ended\"]\nprivate = []\n";
    with_webhook(right).unwrap();
    let error = with_webhook(&right.replacen(old, new, 1)).unwrap_err().to_string();
    assert!(error.contains(then), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn a_webhook_stands_once_in_a_tenant() {
    let one = "id = \"erp\"\nurl = \"https://erp.example/\"\nsecret-file = \"f\"\n";
    let error = with_webhook(&format!("{one}[[tenant.webhook]]\n{one}")).unwrap_err().to_string();
    assert!(error.contains("webhook `erp` stands twice in tenant `acme`"), "{error}");
}

#[rstest]
#[case::twilio(
    "kind = \"twilio\"\naccount = \"AC0123456789abcdef0123456789abcdef\"\nauth-token-file = \"token\"",
    ""
)]
#[case::shared_key(
    "kind = \"twilio\"\naccount = \"AC0123456789abcdef0123456789abcdef\"\nshared-key = [{ id = \"k\", secret-file = \"s\" }]",
    ""
)]
#[case::odd_account(
    "kind = \"twilio\"\naccount = \"acme\"\nauth-token-file = \"token\"",
    "`account` is `AC`"
)]
#[case::unproved(
    "kind = \"twilio\"\naccount = \"AC0123456789abcdef0123456789abcdef\"",
    "nothing proves the provider"
)]
#[case::line_of_messages(
    "kind = \"twilio\"\naccount = \"AC0123456789abcdef0123456789abcdef\"\nline = \"sms\"",
    "`line` is `mobile` or `fixed`"
)]
#[case::mapped("kind = \"mapped\"\nmapping = \"m.toml\"\nsecret-file = \"s\"", "")]
#[case::mapped_without_a_secret(
    "kind = \"mapped\"\nmapping = \"m.toml\"",
    "needs either `secret-file` or `secret`"
)]
#[case::gammu(
    "kind = \"gammu\"\ninbox = \"i\"\noutbox = \"o\"\nsent = \"s\"\nerror = \"e\"\ndone = \"d\"",
    ""
)]
#[case::one_folder_twice(
    "kind = \"gammu\"\ninbox = \"i\"\noutbox = \"o\"\nsent = \"s\"\nerror = \"e\"\ndone = \"i\"",
    "five folders"
)]
#[case::odd_zone(
    "kind = \"gammu\"\ninbox = \"i\"\noutbox = \"o\"\nsent = \"s\"\nerror = \"e\"\ndone = \"d\"\ntime-zone = \"Mars\"",
    "`time-zone`"
)]
#[case::twilio_that_sends(
    "kind = \"twilio\"\naccount = \"AC0123456789abcdef0123456789abcdef\"\nauth-token-file = \"token\"\nfrom = \"+551132100000\"",
    ""
)]
#[case::twilio_that_sends_without_a_token(
    "kind = \"twilio\"\naccount = \"AC0123456789abcdef0123456789abcdef\"\nfrom = \"MG1\"\nshared-key = [{ id = \"k\", secret-file = \"s\" }]",
    "messages are sent with the auth token"
)]
#[case::whatsapp(
    "kind = \"whatsapp\"\naccount = \"1\"\nphone-number-id = \"2\"\napp-secret-file = \"s\"\nverify-token-file = \"v\"\naccess-token-file = \"t\"",
    ""
)]
#[case::whatsapp_by_the_number_itself(
    "kind = \"whatsapp\"\naccount = \"1\"\nphone-number-id = \"+551132100000\"\napp-secret-file = \"s\"\nverify-token-file = \"v\"",
    "the telephone number is neither"
)]
#[case::whatsapp_unproved(
    "kind = \"whatsapp\"\naccount = \"1\"\nphone-number-id = \"2\"\nverify-token-file = \"v\"",
    "`app-secret-file`"
)]
#[case::whatsapp_unverified(
    "kind = \"whatsapp\"\naccount = \"1\"\nphone-number-id = \"2\"\napp-secret-file = \"s\"",
    "`verify-token-file`"
)]
#[case::whatsapp_of_no_version(
    "kind = \"whatsapp\"\naccount = \"1\"\nphone-number-id = \"2\"\napp-secret-file = \"s\"\nverify-token-file = \"v\"\ngraph-version = \"latest\"",
    "`graph-version`"
)]
fn a_channel_is_checked(#[case] channel: &str, #[case] wrong: &str) {
    let text = format!("{}\n[[tenant.channel]]\nid = \"ch\"\n{channel}\n", whole());
    match parse(&text) {
        Ok(_) => assert_eq!(wrong, ""),
        Err(error) => {
            let told = error.to_string();
            assert!(!wrong.is_empty() && told.contains(wrong), "{told}");
        }
    }
}

#[test]
fn a_channels_files_are_relative_to_the_configuration() {
    let channel =
        "[[tenant.channel]]\nkind = \"mapped\"\nid = \"z\"\nmapping = \"maps/z.toml\"\nsecret-file = \"z\"\n";
    let config = parse(&format!("{}\n{channel}", whole())).unwrap();
    let ChannelConfig::Mapped(mapped) = &config.tenants[0].channels[0] else { panic!("not mapped") };
    assert_eq!(mapped.mapping, Path::new("/etc/ramal/maps/z.toml"));
    assert_eq!(mapped.secret_file.as_deref(), Some(Path::new("/etc/ramal/z")));
}

#[rstest]
#[case::whatsapp(include_str!("../../../../docs/channels/whatsapp.md"))]
#[case::others(include_str!("../../../../docs/channels/README.md"))]
fn the_documents_show_channels_that_are_right(#[case] page: &str) {
    let mut read = 0;
    for block in page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        if !block.contains("[[tenant.channel]]") {
            continue;
        }
        // With what is only shown as possible, too.
        let uncommented: String =
            block.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        for text in [block.to_owned(), uncommented.replace('…', "0")] {
            let config = parse(&format!("{}\n{text}", whole()));
            read += usize::from(config.map_err(|error| panic!("{error}\n{text}")).is_ok());
        }
    }
    assert!(read > 0);
}
