//! What the library answers beside what we answer. Where the library is right, we are the same; where it is
//! wrong, the case's name says so. When a case fails because the library learned better, its rule here can go.
//! Every number is made up.

use ramal_numbers::{Home, NotANumber, NumberKind, PhoneNumber, Region};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};
use rstest::rstest;

/// The E.164 form that the library reads in Brazil, with `?` after one that its own plan does not have.
fn library(text: &str) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(text, Some(rlibphonenumber::Region::BR)).ok()?;
    let doubt = if PHONE_NUMBER_UTIL.is_valid_number(&number) { "" } else { "?" };
    Some(format!("{}{doubt}", PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164)))
}

/// The canonical number, read in Brazil in area 11.
fn ours(text: &str) -> Result<String, NotANumber> {
    let home = Home::new(Region::BR).with_area("11").unwrap();
    PhoneNumber::parse_at(text, &home).map(|number| number.canonical().e164())
}

#[rstest]
#[case::mobile("11987654321", "+5511987654321")]
#[case::mobile_with_country("5511987654321", "+5511987654321")]
#[case::mobile_with_plus("+5511987654321", "+5511987654321")]
#[case::mobile_with_trunk_zero("(011) 98765-4321", "+5511987654321")]
#[case::mobile_through_carrier_15("0 15 11 98765-4321", "+5511987654321")]
#[case::mobile_through_carrier_21("0 21 11 98765-4321", "+5511987654321")]
#[case::land_line_through_carrier_21("0211132100000", "+551132100000")]
#[case::mobile_paid_by_the_other_side("90 15 11 98765-4321", "+5511987654321")]
#[case::land_line("1132100000", "+551132100000")]
#[case::land_line_with_plus("+55 11 3333-4444", "+551133334444")]
#[case::toll_free("08007771234", "+558007771234")]
#[case::toll_free_of_before("0800 771 234", "+55800771234")]
#[case::single_national_number("40041234", "+5540041234")]
#[case::single_national_number_with_country("+55 4004-1234", "+5540041234")]
#[case::other_single_national_number("3003-1234", "+5530031234")]
#[case::shared_cost("0300 789 1234", "+553007891234")]
#[case::telemarketing("0303 789 1234", "+553037891234")]
#[case::donation("0500 789 1234", "+555007891234")]
#[case::premium_rate("0900 789 1234", "+559007891234")]
#[case::abroad("+1 415 555 2671", "+14155552671")]
fn the_library_is_right(#[case] text: &str, #[case] both: &str) {
    assert_eq!((library(text).as_deref(), ours(text).as_deref()), (Some(both), Ok(both)));
}

#[rstest]
#[case::ninth_digit_not_added("1187654321", "+551187654321?", "+5511987654321")]
#[case::ninth_digit_not_added_with_plus("+55 11 8765-4321", "+551187654321?", "+5511987654321")]
#[case::ninth_digit_not_added_in_the_south("+55 47 8765-4321", "+554787654321?", "+5547987654321")]
#[case::ninth_digit_not_added_as_whatsapp_writes_it("551187654321", "+551187654321?", "+5511987654321")]
#[case::ninth_digit_not_added_to_a_7("11 7654-3210", "+551176543210", "+5511976543210")]
#[case::country_taken_for_a_carrier("00 55 11 3210-0000", "+1132100000?", "+551132100000")]
#[case::country_taken_for_a_carrier_before_a_mobile("00 55 11 98765-4321", "+11987654321?", "+5511987654321")]
#[case::carrier_not_listed("0 36 11 98765-4321", "+553611987654321?", "+5511987654321")]
#[case::carrier_left_open_taken_for_none("(0xx11) 3210-0000", "+551132100000", "+551132100000")]
#[case::two_zeros_by_hand("00-11-98765-4321", "+55011987654321?", "+5511987654321")]
#[case::prefix_of_debt_collectors("0304 789 1234", "+553047891234?", "+553047891234")]
#[case::local_mobile("99887-6655", "+55998876655?", "+5511998876655")]
#[case::local_land_line("3210-0000", "+5532100000?", "+551132100000")]
#[case::local_paid_by_the_other_side("9090 3210-0000", "+559032100000?", "+551132100000")]
fn the_library_is_wrong(#[case] text: &str, #[case] library_says: &str, #[case] we_say: &str) {
    assert_eq!((library(text).as_deref(), ours(text).as_deref()), (Some(library_says), Ok(we_say)));
}

#[rstest]
#[case::emergency("190", "+55190?", NotANumber::TooShort)]
#[case::desk("7002", "+557002?", NotANumber::TooShort)]
#[case::document("123.456.789-01", "+5512345678901?", NotANumber::NotInPlan)]
fn what_the_library_takes_for_a_number_is_none(
    #[case] text: &str,
    #[case] library_says: &str,
    #[case] error: NotANumber,
) {
    assert_eq!((library(text).as_deref(), ours(text)), (Some(library_says), Err(error)));
}

#[rstest]
#[case::right_about_mobiles("11987654321", PhoneNumberType::Mobile, NumberKind::Mobile)]
#[case::right_about_land_lines("1132100000", PhoneNumberType::FixedLine, NumberKind::Fixed)]
#[case::right_about_toll_free("08007771234", PhoneNumberType::TollFree, NumberKind::TollFree)]
#[case::right_about_shared_cost("0300 789 1234", PhoneNumberType::SharedCost, NumberKind::SharedCost)]
#[case::right_about_single_numbers("4004-1234", PhoneNumberType::SharedCost, NumberKind::SharedCost)]
#[case::right_about_premium_rate("0900 789 1234", PhoneNumberType::PremiumRate, NumberKind::PremiumRate)]
#[case::right_about_north_america(
    "+1 415 555 2671",
    PhoneNumberType::FixedLineOrMobile,
    NumberKind::FixedOrMobile
)]
#[case::wrong_about_telemarketing("0303 789 1234", PhoneNumberType::SharedCost, NumberKind::Telemarketing)]
#[case::wrong_about_donations("0500 789 1234", PhoneNumberType::PremiumRate, NumberKind::Donation)]
#[case::wrong_about_debt_collection("0304 789 1234", PhoneNumberType::Unknown, NumberKind::DebtCollection)]
#[case::wrong_about_old_mobiles("1187654321", PhoneNumberType::Unknown, NumberKind::Mobile)]
#[case::nobody_knows("+55 11 1234-5678", PhoneNumberType::Unknown, NumberKind::Unlisted)]
fn kinds(#[case] text: &str, #[case] library_says: PhoneNumberType, #[case] we_say: NumberKind) {
    let number = PHONE_NUMBER_UTIL.parse(text, Some(rlibphonenumber::Region::BR)).unwrap();
    assert!(PHONE_NUMBER_UTIL.get_number_type(&number) == library_says);
    assert_eq!(PhoneNumber::parse(text, Region::BR).unwrap().kind(), we_say);
}
