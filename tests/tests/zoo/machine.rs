//! Animals against the machine: time, stack, memory, and the border where texts are copied.

use std::sync::atomic::{AtomicUsize, Ordering};

use ramal_capability::{Authority, Purpose, TenantId};
use ramal_engine::config::MemoryReset;
use ramal_engine::{CallError, Called, Check, Contact, Plugin, PoolSize, Stop};
use rstest::rstest;
use serde_json::json;

use super::crm::Answer;
use super::host::{Host, With, ask, authority, person};
use super::{people, wasm_text};

#[rstest]
#[case::infinite_loop("infinite-loop", 0, Stop::CpuTime)]
#[case::deep_recursion("deep-recursion", 1, Stop::Stack)]
#[case::memory_bomb("memory-bomb", 0, Stop::Memory)]
#[case::panic("panicker", 0, Stop::Panic)]
#[case::text_that_is_none("broken-utf8", 0, Stop::Contract)]
#[case::huge_line("giant-line", 2 << 20, Stop::HostcallBytes)]
#[case::huge_result("giant-result", 2 << 20, Stop::HostcallBytes)]
#[tokio::test]
async fn what_would_take_the_host_down_is_stopped(
    #[case] name: &str,
    #[case] number: u64,
    #[case] stop: Stop,
) {
    let host = Host::open().await;
    let visited = host.animal(name).number(number).let_out().await;
    assert_eq!(visited.stop(), Some(stop), "{}", visited.error());
    assert!(visited.lines().is_empty());
}

#[tokio::test]
async fn memory_ends_at_the_limit_for_one_that_asks_politely_too() {
    let host = Host::open().await;
    let visited =
        host.animal("memory-hoarder").granted(|g| g.limits.memory_bytes = Some(8 << 20)).let_out().await;
    assert_eq!((visited.code(), visited.took("pages").as_str()), ("ok", "128"));
    assert_eq!(visited.report.memory_bytes, 8 << 20);
}

#[tokio::test]
async fn a_panic_is_told_without_what_it_was_about() {
    let host = Host::open().await;
    let told = format!("{} {} {}", people::PHONE, people::EMAIL, people::DOCUMENT);
    // The words are the plugin's own; where they are shaped like personal data they are masked all the same.
    let visited = host.animal("panicker").told(told).let_out().await;
    insta::assert_snapshot!(visited.error(), @"the plugin was stopped (panic): panicked over [contact.phone] [contact.phone] [e-mail] [number]");
}

/// A guest's time ends a host call's work for it too, so one that lets the host compute takes about as long as one that
/// computes itself.
#[tokio::test]
async fn the_hosts_own_work_for_a_guest_is_bounded() {
    let host = Host::open().await;
    let spinner = host.animal("infinite-loop").let_out().await;
    let burner = host.animal("host-burner").told("Ünsal ").number(900_000).let_out().await;
    for visited in [&spinner, &burner] {
        assert_eq!(visited.stop(), Some(Stop::CpuTime), "{}", visited.error());
    }
    let (own, hosts) = (spinner.report.took_us, burner.report.took_us);
    assert!(hosts < 12 * own, "{own} µs of computing, and {hosts} µs of having the host compute");
}

/// To hide five thousand seals in half a megabyte would take minutes. Such a text is left out.
#[rstest]
#[case::line("")]
#[case::error("error")]
#[tokio::test]
async fn no_seals_are_hidden_in_a_text_that_is_too_long_to_be_shown(#[case] told: &str) {
    let host = Host::open().await;
    let visited = host.animal("mask-burner").told(told).number(5_000).let_out().await;
    let shown = match told {
        "error" => visited.error(),
        _ => host.lines.all().join("\n"),
    };
    assert!(shown.ends_with("(496000 bytes, too long to be shown)"), "{shown}");
}

#[tokio::test]
async fn comparing_many_fields_with_many_opened_values_is_bounded_work() {
    let host = Host::open().await;
    let (some, many) = (compared(&host, 400).await, compared(&host, 4_000).await);
    // Each field with each value would be a hundred times as much.
    assert!(many < 40 * some, "{some} µs, and {many} µs with ten times as many values and fields");
    host.still_serves().await;
}

/// Microseconds of a call that opens so many values and then gets an answer of ten times as many fields, the least of
/// three: what else the machine does meanwhile only adds to it.
async fn compared(host: &Host, values: usize) -> u64 {
    let person =
        |n| json!({"id": format!("person-{n}"), "phone": format!("+55119{:08}", 50_000_000 + n * 919)});
    // Letters only: so many digits in a row would spell a number by chance.
    let word = |n: usize| [17_576, 676, 26, 1].map(|place| char::from(b'a' + (n / place % 26) as u8));
    let id = |n| json!({"id": word(n).iter().collect::<String>().repeat(2)});
    let people = json!({"items": (0..values).map(person).collect::<Vec<_>>()});
    let ids = json!({"items": (0..values * 10).map(id).collect::<Vec<_>>()});
    let finds = AtomicUsize::new(0);
    host.crm.answers(move |asked| match asked.method.as_str() {
        "POST" => Answer::json(200, &json!({"id": "n-1"})),
        _ if finds.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) => Answer::json(200, &people),
        _ => Answer::json(200, &ids),
    });
    let cage = host.animal("echo-burner").granted(|g| g.limits.cpu_ms = Some(5_000));
    let plugin = cage.load().await.unwrap();
    let mut least = u64::MAX;
    for _ in 0..3 {
        let called = plugin.call(authority(), ask(&[people::PHONE.into()])).await;
        assert_eq!((called.outcome.err(), called.report.rules.requests), (None, 3));
        least = least.min(called.report.took_us);
    }
    least
}

#[rstest]
#[case::contacts("", 50_000)]
#[case::phones("phones", 1_000_000)]
#[tokio::test]
async fn a_flood_of_empty_records_is_not_copied(#[case] told: &str, #[case] number: u64) {
    let host = Host::open().await;
    let cage =
        host.animal("empty-records").told(told).number(number).granted(|g| g.limits.cpu_ms = Some(5_000));
    let visited = cage.let_out().await;
    assert_eq!(visited.stop(), Some(Stop::HostcallBytes), "{}", visited.error());
}

#[tokio::test]
async fn waiting_does_not_make_time_for_computing() {
    // exceeds: wall_ms
    let host = Host::open().await;
    host.crm.answers(|_| Answer::raw(b"").then_silence());
    let visited = host
        .animal("late-worker")
        .granted(|g| {
            g.limits.wall_ms = Some(300);
            g.limits.cpu_ms = Some(5_000);
        })
        .let_out()
        .await;
    assert_eq!(visited.stop(), Some(Stop::WallTime), "{}", visited.error());
    assert_eq!(visited.lines().len(), 1);
}

#[tokio::test]
async fn three_stops_put_a_plugin_to_rest_until_a_person_resumes_it() {
    let host = Host::open().await;
    let plugin = host.animal("panicker").load().await.unwrap();
    let call = async || plugin.call(authority(), ask(&[people::PHONE.into()])).await.outcome.unwrap_err();
    for _ in 0..3 {
        assert_eq!(call().await.code(), "panic");
    }
    assert!(matches!(call().await, CallError::Quarantined { stops: 3, .. }));
    assert!(plugin.is_resting());
    plugin.resume();
    assert_eq!(call().await.code(), "panic");
    host.still_serves().await;
}

// === Written as text ===

/// Calls `connector.check` of a component.
async fn checked(host: &Host, wasm: Vec<u8>) -> Called<ramal_engine::Account> {
    let plugin = host
        .animal("none")
        .wasm(wasm)
        .granted(|g| {
            g.purposes = [Purpose::Diagnostics].into();
            g.routes.clear();
            g.limits.table_elements = Some(1_000);
        })
        .load()
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    let called = plugin.call(person(Purpose::Diagnostics), Check).await;
    host.holds_nothing_personal("");
    host.still_serves().await;
    called
}

#[rstest]
#[case::trap_in_start("(func $s unreachable) (start $s)", "i32.const 64", Err(Stop::Panic))]
#[case::endless_start("(func $s (loop (br 0))) (start $s)", "i32.const 64", Err(Stop::CpuTime))]
#[case::endless_result("", "i32.const 64", Ok(()))]
#[case::result_outside_of_memory("", "i32.const -16", Err(Stop::Contract))]
#[case::result_out_of_step("", "i32.const 65", Err(Stop::Contract))]
#[case::result_of_no_case("", "(i32.store8 (i32.const 64) (i32.const 7)) i32.const 64", Err(Stop::Contract))]
#[case::error_of_no_case(
    "",
    "(i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 68) (i32.const 77)) i32.const 64",
    Err(Stop::Contract)
)]
#[case::name_longer_than_memory(
    "",
    "(i32.store (i32.const 72) (i32.const 0x7fffffff)) i32.const 64",
    Err(Stop::Contract)
)]
#[case::name_that_is_no_text(
    "(data (i32.const 200) \"\\ff\\fe\")",
    "(i32.store (i32.const 68) (i32.const 200)) (i32.store (i32.const 72) (i32.const 2)) i32.const 64",
    Err(Stop::Contract)
)]
#[case::load_outside_of_memory("", "(drop (i32.load (i32.const -4))) i32.const 64", Err(Stop::Fault))]
#[case::division_by_zero("", "(drop (i32.div_s (i32.const 1) (i32.const 0))) i32.const 64", Err(Stop::Fault))]
#[case::overflowing_conversion(
    "",
    "(drop (i32.trunc_f64_s (f64.const 1e300))) i32.const 64",
    Err(Stop::Fault)
)]
#[case::call_of_nothing(
    "(table 2 funcref) (type $t (func))",
    "(call_indirect (type $t) (i32.const 1)) i32.const 64",
    Err(Stop::Fault)
)]
#[case::call_of_another_type(
    "(type $t (func (param i64))) (func $f) (table funcref (elem $f))",
    "(call_indirect (type $t) (i64.const 1) (i32.const 0)) i32.const 64",
    Err(Stop::Fault)
)]
#[case::table_bomb(
    "(table 1 funcref)",
    "(loop (br_if 0 (i32.ne (table.grow (ref.null func) (i32.const 100)) (i32.const -1)))) unreachable",
    Err(Stop::Memory)
)]
#[case::table_hoarder(
    "(table 1 funcref)",
    "(loop (br_if 0 (i32.ne (table.grow (ref.null func) (i32.const 100)) (i32.const -1)))) i32.const 64",
    Ok(())
)]
#[case::memory_filled_again_and_again(
    "",
    "(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br 0)) unreachable",
    Err(Stop::CpuTime)
)]
#[tokio::test]
async fn code_that_no_compiler_makes_is_stopped_too(
    #[case] fields: &str,
    #[case] body: &str,
    #[case] expected: Result<(), Stop>,
) {
    // exceeds: table_elements
    let host = Host::open().await;
    let outcome = checked(&host, wasm_text::check(fields, body)).await.outcome.map(drop);
    let got = outcome.map_err(|error| match error {
        CallError::Stopped { stop, .. } => stop,
        other => panic!("{other}"),
    });
    assert_eq!(got, expected);
}

#[rstest]
#[case::as_many_as_it_may("(drop (call $new (i32.const 7)))", 1_024, Ok(()))]
#[case::one_more("(drop (call $new (i32.const 7)))", 1_025, Err(Stop::Memory))]
#[case::many_one_after_the_other("(call $drop (call $new (i32.const 7)))", 10_000, Ok(()))]
#[tokio::test]
async fn handles_of_a_resource_of_its_own_end_at_the_limit(
    #[case] step: &str,
    #[case] times: u32,
    #[case] expected: Result<(), Stop>,
) {
    // exceeds: resource_handles
    let body = format!(
        "(loop {step} (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const {times})))) \
         i32.const 64"
    );
    let host = Host::open().await;
    let outcome = checked(&host, wasm_text::check_with_resource(&body)).await.outcome.map(drop);
    let got = outcome.map_err(|error| match error {
        CallError::Stopped { stop, .. } => stop,
        other => panic!("{other}"),
    });
    assert_eq!(got, expected);
}

/// Calls `find-by-phone` of a component, for which the host has to allocate in the guest.
async fn found(host: &Host, wasm: Vec<u8>) -> Called<Vec<Contact>> {
    let plugin = host
        .animal("none")
        .wasm(wasm)
        .granted(|g| g.routes.clear())
        .load()
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    let called = plugin.call(authority(), ask(&[people::PHONE.into(), people::OTHER_PHONE.into()])).await;
    host.holds_nothing_personal("");
    host.still_serves().await;
    called
}

#[rstest]
#[case::good("", "i32.const 1024", Ok(0))]
#[case::trap_in_realloc("", "unreachable", Err(Stop::Panic))]
#[case::endless_realloc("", "(loop (br 0)) i32.const 1024", Err(Stop::CpuTime))]
#[case::realloc_outside_of_memory("", "i32.const -16", Err(Stop::Contract))]
#[case::realloc_at_the_end("", "i32.const 65535", Err(Stop::Contract))]
#[case::realloc_out_of_step("", "i32.const 1025", Err(Stop::Contract))]
#[case::recursive_realloc(
    "",
    "(call 0 (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 8))",
    Err(Stop::Stack)
)]
#[case::import_called_from_realloc(
    r#"(import "ramal:crm/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#,
    "(call $log (i32.const 0) (i32.const 0) (i32.const 4)) i32.const 1024",
    Err(Stop::Fault)
)]
#[tokio::test]
async fn an_allocator_that_plays_tricks_is_stopped(
    #[case] fields: &str,
    #[case] realloc: &str,
    #[case] expected: Result<usize, Stop>,
) {
    let host = Host::open().await;
    let outcome = found(&host, wasm_text::find_with_realloc(fields, realloc)).await.outcome;
    let got = outcome.map(|contacts| contacts.len()).map_err(|error| match error {
        CallError::Stopped { stop, .. } => stop,
        other => panic!("{other}"),
    });
    assert_eq!(got, expected);
    assert!(host.lines.all().is_empty());
}

// === What one call leaves in memory ===

/// Grows the memory to a megabyte: more than a slot keeps mapped when its instance is gone.
const GROW: &str = "(if (i32.eq (memory.grow (i32.const 15)) (i32.const -1)) (then unreachable))";
/// Traps if any byte is set where nothing was written. What lies below is for the result.
const LOOK: &str = "
    (local.set 0 (i32.const 4096))
    (loop
        (if (i64.ne (i64.load (local.get 0)) (i64.const 0)) (then unreachable))
        (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 8))) (i32.const 1048576))))";
const FILL: &str = "(memory.fill (i32.const 4096) (i32.const 0x5a) (i32.const 1044480))";

/// A plugin with `connector.check` for a tenant of its own.
async fn checking(host: &Host, tenant: &str, body: &str) -> Plugin {
    let cage = host.animal("none").wasm(wasm_text::check("", &format!("{body} i32.const 64"))).granted(|g| {
        g.tenant = TenantId::new(tenant).unwrap();
        g.purposes = [Purpose::Diagnostics].into();
        g.routes.clear();
    });
    cage.load().await.unwrap_or_else(|e| panic!("{e}"))
}

async fn checks(plugin: &Plugin, tenant: &str) -> Result<(), CallError> {
    let who = Authority { tenant: TenantId::new(tenant).unwrap(), ..person(Purpose::Diagnostics) };
    plugin.call(who, Check).await.outcome.map(drop)
}

/// `Auto` scans for written pages on a machine without swap.
#[rstest]
#[case::as_the_machine_allows(MemoryReset::Auto)]
#[case::never_scanning(MemoryReset::Decommit)]
#[tokio::test]
async fn no_call_reads_what_an_earlier_one_left_in_memory(#[case] reset: MemoryReset) {
    // One slot, so that everybody gets the memory of whoever was there before.
    let pool = PoolSize { instances: 1, reset, ..PoolSize::default() };
    let host = Host::open_with(With { pool, ..With::default() }).await;
    let writer = checking(&host, "first-tenant", &format!("{GROW} {FILL}")).await;
    let reader = checking(&host, "second-tenant", &format!("{GROW} {LOOK}")).await;
    // The same file for two tenants, which share its code: it looks, and then leaves something.
    let both = format!("{GROW} {LOOK} {FILL}");
    let [one, other] =
        [checking(&host, "first-tenant", &both).await, checking(&host, "second-tenant", &both).await];
    for _ in 0..3 {
        assert_eq!(checks(&writer, "first-tenant").await, Ok(()));
        assert_eq!(checks(&reader, "second-tenant").await, Ok(()), "it read what the other left");
        assert_eq!(checks(&one, "first-tenant").await, Ok(()));
        assert_eq!(checks(&other, "second-tenant").await, Ok(()), "it read what the other left");
    }
    // Who looks would have found it: here the same call writes first.
    let sees = checking(&host, "first-tenant", &format!("{GROW} {FILL} {LOOK}")).await;
    assert!(matches!(checks(&sees, "first-tenant").await, Err(CallError::Stopped { stop: Stop::Panic, .. })));
}
