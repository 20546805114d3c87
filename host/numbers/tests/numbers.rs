//! The rules of telephone numbers, from outside. Every number here is made up.

use std::collections::BTreeSet;

use proptest::prelude::*;
use ramal_numbers::{Extensions, Home, NotANumber, PartyNumber, PhoneNumber, Region, WaId};
use rstest::rstest;

fn region(code: &str) -> Region {
    code.parse().unwrap()
}

fn parse(text: &str) -> Result<PhoneNumber, NotANumber> {
    PhoneNumber::parse(text, Region::BR)
}

fn e164s(number: &PhoneNumber) -> Vec<String> {
    number.variants().iter().map(PhoneNumber::e164).collect()
}

#[rstest]
#[case::international("+55 11 98765-4321", "+5511987654321")]
#[case::international_with_trunk_zero("+55 (0) 11 98765-4321", "+5511987654321")]
#[case::plus_in_brackets("(+55) 11 98765-4321", "+5511987654321")]
#[case::national("(11) 98765-4321", "+5511987654321")]
#[case::bare_digits("11987654321", "+5511987654321")]
#[case::trunk_zero("011 98765 4321", "+5511987654321")]
#[case::trunk_zero_in_brackets("(011) 98765-4321", "+5511987654321")]
#[case::carrier_15("0 15 11 98765-4321", "+5511987654321")]
#[case::carrier_21_to_a_mobile("0 21 11 98765-4321", "+5511987654321")]
#[case::carrier_21_to_a_land_line("0211132100000", "+551132100000")]
#[case::carrier_that_the_library_does_not_list("0 36 11 98765-4321", "+5511987654321")]
#[case::carrier_left_open("(0xx11) 98765-4321", "+5511987654321")]
#[case::carrier_that_the_other_side_pays("90 36 11 3210-0000", "+551132100000")]
#[case::two_zeros_by_hand("00-11-98765-4321", "+5511987654321")]
#[case::two_zeros_by_hand_before_a_land_line("00 21 2345-6789", "+552123456789")]
#[case::two_zeros_before_what_is_a_number_abroad("00 47 9876-5432", "+4798765432")]
#[case::carrier_before_an_old_mobile("0 15 11 8765-4321", "+551187654321")]
#[case::country_code_after_00("005511987654321", "+5511987654321")]
#[case::country_code_after_00_to_a_land_line("00 55 11 3210-0000", "+551132100000")]
#[case::country_code_after_00_without_the_ninth_digit("00 55 11 8765-4321", "+551187654321")]
#[case::wa_id("5511987654321", "+5511987654321")]
#[case::wa_id_without_the_ninth_digit("551187654321", "+551187654321")]
#[case::wa_id_without_the_ninth_digit_in_the_south("554787654321", "+554787654321")]
#[case::old_mobile_with_plus("+55 11 8765-4321", "+551187654321")]
#[case::old_mobile_national("(47) 8765-4321", "+554787654321")]
#[case::land_line("1132100000", "+551132100000")]
#[case::land_line_of_area_55("(55) 3210-0000", "+555532100000")]
#[case::mobile_of_area_55("55 98765-4321", "+5555987654321")]
#[case::toll_free("08007771234", "+558007771234")]
#[case::shared_cost_short("40041234", "+5540041234")]
#[case::toll_free_of_before("0800 480 196", "+55800480196")]
#[case::toll_free_with_country("+55 0800 777 1234", "+558007771234")]
#[case::toll_free_from_abroad("0055 800 777 1234", "+558007771234")]
#[case::shared_cost("0300 789 1234", "+553007891234")]
#[case::telemarketing("0303 789 1234", "+553037891234")]
#[case::debt_collection("0304 789 1234", "+553047891234")]
#[case::trunk_zero_after_the_country("+55 011 98765-4321", "+5511987654321")]
#[case::carrier_after_the_country("+55 0 15 11 98765-4321", "+5511987654321")]
#[case::uri("tel:+55-11-98765-4321", "+5511987654321")]
#[case::foreign_with_plus("+1 415 555 2671", "+14155552671")]
#[case::foreign_through_a_carrier("0015 1 415 555 2671", "+14155552671")]
#[case::foreign_through_carrier_55("0055 1 415 555 2671", "+14155552671")]
#[case::foreign_after_00_alone("00 1 415 555 2671", "+14155552671")]
#[case::foreign_wa_id("351912345678", "+351912345678")]
#[case::mexican_wa_id("5215512345678", "+5215512345678")]
#[case::italian_zero_stays("+39 06 1234 5678", "+390612345678")]
#[case::in_no_list_but_of_possible_length("+55 11 1234-5678", "+551112345678")]
fn a_number_reads_as_what_it_dials_in_brazil(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(parse(text).map(|number| number.e164()).as_deref(), Ok(expected));
}

#[rstest]
#[case::portugal("PT", "912 345 678", "+351912345678")]
#[case::portugal_calls_brazil("PT", "00 55 11 98765-4321", "+5511987654321")]
#[case::united_states("US", "(415) 555-2671", "+14155552671")]
#[case::united_states_own_prefix("US", "011 55 11 98765-4321", "+5511987654321")]
#[case::united_states_brazilian_wa_id("US", "5511987654321", "+5511987654321")]
#[case::argentine_mobile_prefix("AR", "011 15 2345-6789", "+5491123456789")]
#[case::italy("IT", "06 1234 5678", "+390612345678")]
fn another_region_reads_by_its_own_plan(#[case] code: &str, #[case] text: &str, #[case] expected: &str) {
    let number = PhoneNumber::parse(text, region(code));
    assert_eq!(number.map(|number| number.e164()).as_deref(), Ok(expected));
}

#[rstest]
#[case::nothing("", NotANumber::Empty)]
#[case::hidden_caller("anonymous", NotANumber::Character { position: 1 })]
#[case::emergency("190", NotANumber::TooShort)]
#[case::extension("7002", NotANumber::TooShort)]
#[case::country_alone("+55", NotANumber::TooShort)]
#[case::mobile_without_area("98765-4321", NotANumber::NoAreaCode)]
#[case::land_line_without_area("3210-0000", NotANumber::NoAreaCode)]
#[case::no_such_area("(10) 3210-0000", NotANumber::NotInPlan)]
#[case::a_digit_too_many("(11) 98765-43210", NotANumber::NotInPlan)]
#[case::no_such_country("+999 1234 5678", NotANumber::UnknownCountry)]
#[case::document("123.456.789-01", NotANumber::NotInPlan)]
#[case::slip_in_a_mobile_that_would_ring_abroad("(12) 34567-8901", NotANumber::NotInPlan)]
#[case::area_that_a_plan_would_put_before("+261 470 0000", NotANumber::NoAreaCode)]
#[case::longer_than_e164("+55 11 98765 4321 98765", NotANumber::NotInPlan)]
#[case::forty_one_characters("11111111111111111111111111111111111111111", NotANumber::TooLong)]
fn what_is_no_number_is_refused_with_the_reason(#[case] text: &str, #[case] expected: NotANumber) {
    assert_eq!(parse(text), Err(expected));
}

#[rstest]
#[case::land_line("3210-0000", "+554832100000")]
#[case::mobile("98765-4321", "+5548987654321")]
#[case::old_mobile("8765-4321", "+554887654321")]
#[case::paid_by_the_other_side("9090 3210-0000", "+554832100000")]
#[case::mobile_paid_by_the_other_side("9090 98765-4321", "+5548987654321")]
#[case::with_its_own_area("(11) 3210-0000", "+551132100000")]
#[case::with_country("5511987654321", "+5511987654321")]
#[case::single_national_number("4004-1234", "+5540041234")]
#[case::toll_free("0800 777 1234", "+558007771234")]
fn a_number_without_its_area_is_in_the_area_of_the_home(#[case] text: &str, #[case] expected: &str) {
    let home = Home::new(Region::BR).with_area("48").unwrap();
    let number = PhoneNumber::parse_at(text, &home);
    assert_eq!(number.map(|number| number.e164()).as_deref(), Ok(expected));
}

#[rstest]
#[case::area_unknown(None, "3210-0000", NotANumber::NoAreaCode)]
#[case::land_line_that_does_not_exist(Some("48"), "1210-0000", NotANumber::NoAreaCode)]
#[case::seven_digits(Some("48"), "210-0000", NotANumber::TooShort)]
#[case::ten_digits_of_no_area(Some("48"), "(10) 3210-0000", NotANumber::NotInPlan)]
#[case::plus(Some("48"), "+55 3210-0000", NotANumber::NoAreaCode)]
fn an_area_is_not_invented(#[case] area: Option<&str>, #[case] text: &str, #[case] expected: NotANumber) {
    let home = Home::new(Region::BR);
    let home = area.map_or(Ok(home.clone()), |area| home.with_area(area)).unwrap();
    assert_eq!(PhoneNumber::parse_at(text, &home), Err(expected));
}

#[test]
fn a_home_abroad_has_its_area_too() {
    let home = Home::new(region("US")).with_area("415").unwrap();
    let number = PhoneNumber::parse_at("555-2671", &home).unwrap();
    assert_eq!(number.e164(), "+14155552671");
}

#[rstest]
#[case::with_plus("+5511987654321", "+5511987654321")]
#[case::without_plus("551187654321", "+551187654321")]
#[case::short_country("4512345678", "+4512345678")]
#[case::that_would_be_national_in_brazil("12987654321", "+12987654321")]
fn a_wa_id_always_begins_with_its_country(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(PhoneNumber::from_wa_id(text).map(|number| number.e164()).as_deref(), Ok(expected));
}

#[rstest]
#[case::mobile("+55 11 98765-4321", "(11) 98765-4321", "5511987654321", "tel:+55-11-98765-4321")]
#[case::old_mobile("+55 11 8765-4321", "(11) 8765-4321", "551187654321", "tel:+55-11-8765-4321")]
#[case::old_mobile_with_zeros("+55 11 8765-0001", "(11) 8765-0001", "551187650001", "tel:+55-11-8765-0001")]
#[case::old_mexican("+52 1 55 1234 5678", "1 55 1234 5678", "5215512345678", "tel:+52-1-55-1234-5678")]
#[case::land_line("+55 11 3210-0000", "(11) 3210-0000", "551132100000", "tel:+55-11-3210-0000")]
#[case::toll_free("+55 800 777 1234", "0800 777 1234", "558007771234", "tel:+55-800-777-1234")]
#[case::single_national_number("+55 4004-1234", "4004-1234", "5540041234", "tel:+55-4004-1234")]
#[case::debt_collection("+55 304 789 0034", "0304 789 0034", "553047890034", "tel:+55-304-789-0034")]
#[case::italy("+39 06 1234 5678", "06 1234 5678", "390612345678", "tel:+39-06-1234-5678")]
#[case::united_states("+1 415-555-2671", "(415) 555-2671", "14155552671", "tel:+1-415-555-2671")]
fn a_number_is_written_in_five_styles(
    #[case] international: &str,
    #[case] national: &str,
    #[case] digits: &str,
    #[case] uri: &str,
) {
    let number = parse(international).unwrap();
    assert_eq!(
        [number.e164(), number.international(), number.national(), number.digits(), number.rfc3966()],
        [format!("+{digits}").as_str(), international, national, digits, uri]
    );
}

#[rstest]
#[case::mobile("+5511987654321", &["+5511987654321", "+551187654321"])]
#[case::old_mobile("+551187654321", &["+5511987654321", "+551187654321"])]
#[case::old_mobile_of_the_south("+554787654321", &["+5547987654321", "+554787654321"])]
#[case::lowest_old_mobile("+551160000000", &["+5511960000000", "+551160000000"])]
#[case::land_line("+551132100000", &["+551132100000"])]
#[case::highest_land_line("+551159999999", &["+551159999999"])]
#[case::mobile_that_never_had_eight_digits("+5511923456789", &["+5511923456789"])]
#[case::toll_free("+558007771234", &["+558007771234"])]
#[case::premium_rate("+559007771234", &["+559007771234"])]
#[case::mobile_shape_in_no_area("+552087654321", &["+552087654321"])]
#[case::mexican("+525512345678", &["+525512345678", "+5215512345678"])]
#[case::mexican_of_before("+5215512345678", &["+525512345678", "+5215512345678"])]
#[case::united_states("+14155552671", &["+14155552671"])]
fn variants_hold_both_forms_of_a_line_and_todays_comes_first(#[case] e164: &str, #[case] expected: &[&str]) {
    assert_eq!(e164s(&parse(e164).unwrap()), expected);
}

#[rstest]
#[case::forms_of_one_mobile("+5511987654321", "+551187654321", true)]
#[case::forms_of_one_mexican("+525512345678", "+5215512345678", true)]
#[case::same_last_eight_digits_of_two_areas("+5511987654321", "+5521987654321", false)]
#[case::land_line_and_mobile_that_end_alike("+551123456789", "+5511923456789", false)]
#[case::two_countries("+5511912345678", "+351912345678", false)]
fn two_numbers_are_one_line_if_their_canonical_number_is_one(
    #[case] one: &str,
    #[case] other: &str,
    #[case] same: bool,
) {
    assert_eq!(parse(one).unwrap().canonical() == parse(other).unwrap().canonical(), same);
}

#[test]
fn debug_shows_no_digit() {
    assert_eq!(format!("{:?}", parse("+5511987654321")), "Ok(PhoneNumber(<personal>))");
}

#[test]
fn an_error_shows_no_digit_of_what_was_read() {
    let error = parse("(10) 3210-0000").unwrap_err();
    assert_eq!(
        error.to_string(),
        "read a telephone number: the country's numbering plan has no such number; \
         check the area code and the number of digits"
    );
}

#[test]
fn warming_up_is_only_about_time() {
    Region::BR.warm_up();
    assert!(parse("+5511987654321").is_ok());
}

/// Digits as people and networks write them, dense in the shapes that the rules part.
fn written() -> impl Strategy<Value = String> {
    prop_oneof![
        r"\+55[1-9][1-9][2-9][0-9]{7,8}",
        r"(0|00|0015|015|55|0055|\+55 ?0?)?[ (]?[1-9]{2}[) ]?9?[0-9]{4}-?[0-9]{4}",
        r"\+52(1)?[0-9]{10}",
        r"\+[0-9]{3,16}",
        r"[0-9]{3,16}",
        r"\+39 ?0{0,3}[0-9]{6,10}",
    ]
}

fn some_region() -> impl Strategy<Value = Region> {
    prop::sample::select(vec!["BR", "PT", "US", "IT", "MX", "AR", "GB"]).prop_map(region)
}

/// Every area code of Brazil.
fn areas() -> Vec<String> {
    let is_area = |area: &String| Home::new(Region::BR).with_area(area).is_ok();
    (11..=99).map(|area| area.to_string()).filter(is_area).collect()
}

fn some_area() -> impl Strategy<Value = String> {
    prop::sample::select(areas())
}

/// The forms in which `line`, the digits after the area, comes from people, exchanges and messaging.
fn forms(area: &str, line: &str) -> Vec<String> {
    let (prefix, suffix) = line.split_at(line.len() - 4);
    vec![
        format!("+55{area}{line}"),
        format!("+55 {area} {prefix}-{suffix}"),
        format!("+55 (0{area}) {prefix}-{suffix}"),
        format!("55{area}{line}"),
        format!("0055{area}{line}"),
        format!("00 55 {area} {prefix} {suffix}"),
        format!("{area}{line}"),
        format!("({area}) {prefix}-{suffix}"),
        format!("0{area}{line}"),
        format!("(0xx{area}) {prefix}-{suffix}"),
        format!("0 15 {area} {line}"),
        format!("0 36 {area} {line}"),
        format!("90 21 {area} {line}"),
        format!("90 36 {area} {line}"),
        format!("tel:+55-{area}-{prefix}-{suffix}"),
        // At home in the area.
        line.to_owned(),
        format!("{prefix}-{suffix}"),
        format!("9090 {line}"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn all_forms_of_a_mobile_are_one_number(area in some_area(), line in "[6-9][0-9]{7}") {
        let home = Home::new(Region::BR).with_area(&area).unwrap();
        let canonical = format!("+55{area}9{line}");
        for form in forms(&area, &line).into_iter().chain(forms(&area, &format!("9{line}"))) {
            let number = PhoneNumber::parse_at(&form, &home);
            prop_assert_eq!(number.map(|number| number.canonical().e164()), Ok(canonical.clone()), "{}", form);
        }
        for id in [format!("55{area}{line}"), format!("55{area}9{line}")] {
            let id = WaId::parse(&id).unwrap();
            prop_assert_eq!(id.canonical().map(|number| number.e164()), Some(canonical.clone()));
        }
    }

    #[test]
    fn all_forms_of_a_land_line_are_one_number_of_eight_digits(area in some_area(), line in "[25][0-9]{7}") {
        let home = Home::new(Region::BR).with_area(&area).unwrap();
        let canonical = format!("+55{area}{line}");
        for form in forms(&area, &line) {
            let number = PhoneNumber::parse_at(&form, &home);
            prop_assert_eq!(number.map(|number| number.canonical().e164()), Ok(canonical.clone()), "{}", form);
        }
    }

    #[test]
    fn two_lines_never_share_a_canonical_number(
        area in some_area(), other_area in some_area(),
        line in "(9[0-9]|[2-8])[0-9]{7}", other in "(9[0-9]|[2-8])[0-9]{7}",
    ) {
        let read = |area: &str, line: &str| parse(&format!("+55{area}{line}"));
        if let (Ok(a), Ok(b)) = (read(&area, &line), read(&other_area, &other)) {
            let full = |line: &str| match line.as_bytes() {
                [b'6'..=b'9', rest @ ..] if rest.len() == 7 => format!("9{line}"),
                _ => line.to_owned(),
            };
            let same = area == other_area && full(&line) == full(&other);
            prop_assert_eq!(a.canonical() == b.canonical(), same);
        }
    }

    #[test]
    fn no_service_number_gets_an_area_or_a_ninth_digit(
        text in "0(300|303|304|500|800|900)[0-9]{7}|40(0[0-9]|20)[0-9]{4}|300[0-9]{5}", area in some_area(),
    ) {
        let home = Home::new(Region::BR).with_area(&area).unwrap();
        let number = PhoneNumber::parse_at(&text, &home).unwrap();
        prop_assert_eq!(number.digits(), format!("55{}", text.trim_start_matches('0')));
        prop_assert_eq!(number.variants(), vec![number]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_canonical_forms_read_as_the_number_in_every_region(
        text in written(), here in some_region(), there in some_region(),
    ) {
        if let Ok(number) = PhoneNumber::parse(&text, here) {
            prop_assert_eq!(PhoneNumber::parse(&number.e164(), there), Ok(number));
            prop_assert_eq!(PhoneNumber::parse(&number.rfc3966(), there), Ok(number));
            prop_assert_eq!(PhoneNumber::parse(&number.international(), there), Ok(number));
            prop_assert_eq!(WaId::parse(&number.digits()).unwrap().number(), Some(number));
            prop_assert_eq!(PhoneNumber::from_wa_id(&number.digits()), Ok(number));
        }
    }

    #[test]
    fn every_variant_has_the_same_variants(text in written(), here in some_region()) {
        if let Ok(number) = PhoneNumber::parse(&text, here) {
            let variants = number.variants();
            prop_assert!(variants.contains(&number));
            prop_assert_eq!(variants.first(), Some(&number.canonical()));
            prop_assert_eq!(number.canonical().canonical(), number.canonical());
            prop_assert_eq!(variants.iter().collect::<BTreeSet<_>>().len(), variants.len());
            for variant in &variants {
                prop_assert_eq!(variant.variants(), variants.clone());
                prop_assert_eq!(variant.canonical(), number.canonical());
                prop_assert_eq!(variant.kind(), number.kind());
                prop_assert_eq!(PhoneNumber::parse(&variant.e164(), here), Ok(*variant));
            }
        }
    }

    #[test]
    fn no_digit_is_invented(text in written(), here in some_region()) {
        if let Ok(number) = PhoneNumber::parse(&text, here) {
            let given: String = text.chars().filter(char::is_ascii_digit).collect();
            let digits = number.digits();
            // What follows the calling code was all given, in this order and without a gap. Argentina is
            // apart: its plan turns the 15 that is dialled before a mobile into a 9.
            let is_given = (1..=3).any(|code| digits.get(code..).is_some_and(|rest| given.ends_with(rest)));
            prop_assert!(is_given || digits.starts_with("54"));
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>(), here in some_region()) {
        let _ = PhoneNumber::parse(&text, here);
        let _ = PhoneNumber::from_wa_id(&text);
        let _ = WaId::parse(&text);
        let _ = text.parse::<Extensions>();
        let _ = Home::new(here).with_area(&text);
        let _ = PartyNumber::read(&text, &Home::new(here));
    }

    #[test]
    fn no_text_of_number_characters_panics(text in r"(tel:)?[-+0-9() .\u{2010}\u{200f}]{0,41}", here in some_region()) {
        let home = Home::new(here).with_area("11").unwrap();
        let read = PartyNumber::read(&text, &home);
        if let Some(number) = read.ok().and_then(|party| party.telephone()) {
            prop_assert_eq!(PhoneNumber::parse_at(&text, &home), Ok(number));
            let _ = (number.e164(), number.national(), number.rfc3966(), number.variants(), number.kind());
        }
    }
}
