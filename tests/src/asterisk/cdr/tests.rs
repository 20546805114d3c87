//! The exchange's own record of calls, read back.

use super::*;

/// As Asterisk 22 wrote it; the number is invented.
const LINE: &str = concat!(
    r#""","5511987654321","support","ramal-queue","""5511987654321"" <5511987654321>","PJSIP/trunk-00000001","#,
    r#""PJSIP/2001-00000002","Queue","support,t,,,120","2026-12-01 12:35:34","2026-12-01 12:35:34","#,
    r#""2026-12-01 12:35:36",2,1,"ANSWERED","DOCUMENTATION","1796128534.1","""#,
    "\n"
);

#[test]
fn a_line_is_a_record_and_half_a_line_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("Master.csv");
    assert_eq!(read(&path).unwrap(), []);
    std::fs::write(&path, format!("{LINE}{}", &LINE[..LINE.len() - 9])).unwrap();
    let expected = Cdr {
        source: "5511987654321".to_owned(),
        destination: "support".to_owned(),
        context: "ramal-queue".to_owned(),
        channel: "PJSIP/trunk-00000001".to_owned(),
        destination_channel: "PJSIP/2001-00000002".to_owned(),
        application: "Queue".to_owned(),
        duration: 2,
        billable: 1,
        disposition: Disposition::Answered,
        unique_id: "1796128534.1".to_owned(),
    };
    assert_eq!(read(&path).unwrap(), [expected]);
}

#[test]
fn commas_and_quotes_in_a_text_stay_in_it() {
    assert_eq!(split(r#""a,b","say ""oi""",3,"""#), ["a,b", "say \"oi\"", "3", ""]);
}
