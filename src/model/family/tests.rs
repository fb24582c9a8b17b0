use super::*;

// Controls: without the check of the source, a sender's event counts as nuncio's own; without the case folding,
// Ticket_Created is an unknown kind.
#[rstest::rstest]
#[case(Source::XtSystems, "ticket.created", Family::Ticket, "created")]
#[case(Source::XtSystems, "Ticket_Created", Family::Ticket, "created")]
#[case(Source::XtSystems, "alert.triggered", Family::Alert, "triggered")]
#[case(Source::XtSystems, "ticketing.created", Family::Other, "created")]
#[case(Source::XtSystems, "ticket", Family::Ticket, "")]
#[case(Source::XtSystems, "webhook.test", Family::Test, "test")]
#[case(Source::XtSystems, "webhook.created", Family::Other, "created")]
#[case(Source::XtSystems, "decision.confirmed", Family::Other, "confirmed")]
#[case(Source::XtSystems, "nuncio.mute.ended", Family::Other, "mute.ended")]
#[case(Source::Nuncio, "decision.confirmed", Family::Decision, "confirmed")]
#[case(Source::Nuncio, "nuncio.mute.ended", Family::Notice, "mute.ended")]
#[case(Source::Nuncio, "destination.closed", Family::Notice, "closed")]
#[case(Source::Dispatch, "server.crashed", Family::Server, "crashed")]
#[case(Source::Dispatch, "user.registered", Family::Custom, "registered")]
#[case(Source::Dispatch, "machine.registered", Family::Custom, "registered")]
#[case(Source::XtSystems, "server.crashed", Family::Other, "crashed")]
#[case(Source::XtSystems, "node.alert", Family::Other, "alert")]
fn each_kind_has_its_family(
    #[case] source: Source,
    #[case] kind: &str,
    #[case] family: Family,
    #[case] action: &str,
) {
    let kind = Kind::new(kind);
    let meaning = KindMeaning::of(source, &kind);
    assert_eq!((meaning.family, meaning.action()), (family, action));
}

#[rstest::rstest]
#[case("ticket:7", Family::Ticket)]
#[case("alert:0123", Family::Alert)]
#[case("destination:dst_1", Family::Other)]
#[case("sample/ticket:7", Family::Other)]
#[case("", Family::Other)]
fn a_subject_has_the_family_of_its_thing(#[case] subject: &str, #[case] family: Family) {
    assert_eq!(Family::of_subject(subject), family);
}

#[rstest::rstest]
#[case("machine.registered", None, Priority::Decision)]
#[case("alert.triggered", Some(Severity::Critical), Priority::Urgent)]
#[case("alert.triggered", Some(Severity::Warning), Priority::Normal)]
#[case("alert.triggered", None, Priority::Normal)]
#[case("ticket.created", Some(Severity::Critical), Priority::Normal)]
fn decisions_and_urgent_alerts_overtake(
    #[case] kind: &str,
    #[case] severity: Option<Severity>,
    #[case] expected: Priority,
) {
    assert_eq!(KindMeaning::of(Source::XtSystems, &Kind::new(kind)).priority(severity), expected);
}
