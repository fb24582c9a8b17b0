//! S-7: every kind of tampering with the log is detected.

use super::*;
use crate::clock::Clock;
use crate::model::{Actor, AuditOutcome, Person, Snowflake};
use crate::store::engine::sqlite::SqliteConnection;
use crate::store::sql::{Tx, query};
use crate::store::{HintSender, Lock};

struct Log {
    store: Store,
    key: Key,
    _folder: tempfile::TempDir,
}

impl Log {
    async fn of(entries: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (hints, _nobody) = HintSender::channel();
        let store = Store::open(&folder.path().join("nuncio.db"), Clock::system(), hints).await.unwrap();
        let key = Key::random();
        store.unlock(&key).await.unwrap();
        let log = Self { store, key, _folder: folder };
        // Entries that are added at once share a few commits.
        for first in (1..=entries).step_by(500) {
            let adding = (first..=entries.min(first + 499)).map(|n| log.store.audit(entry(n)));
            for added in futures_util::future::join_all(adding).await {
                assert!(added.unwrap());
            }
        }
        log
    }

    async fn fault(&self) -> Option<AuditFault> {
        self.store.verify_audit(None).await.unwrap().fault
    }

    /// Tampers as an attacker who has the file but not the key.
    async fn tamper(&self, sql: &str) {
        let mut tx = Tx::Sqlite(SqliteConnection::writable(self.store.path(), -512).unwrap());
        assert!(query(sql.to_owned()).execute(&mut tx).await.unwrap() > 0, "nothing was changed");
    }
}

fn entry(n: u64) -> AuditEntry {
    let actor = Actor::Person(Person {
        id: Snowflake::new(n),
        name: "alice".to_owned(),
        guild: None,
        roles: Vec::new(),
        may_manage: false,
        is_timed_out: false,
    });
    AuditEntry {
        outcome: AuditOutcome::Refused,
        detail: "not an approver".to_owned(),
        channel: Some(Snowflake::new(7)),
        interaction: Some(Snowflake::new(1_000_000 + n)),
        reference: format!("dec_{n}"),
        ..AuditEntry::new(actor, "decision.approve", format!("machine {n}"))
    }
}

// S-7
#[tokio::test]
async fn one_flipped_byte_in_ten_thousand_rows_is_found() {
    let log = Log::of(10_000).await;
    assert_eq!(log.fault().await, None);
    let columns = [
        "actor_id",
        "actor_name",
        "action",
        "subject",
        "outcome",
        "detail",
        "channel_id",
        "interaction_id",
        "reference",
    ];
    for column in columns {
        // Flip one bit of the first character.
        let flip = |back: bool| {
            let change = format!(
                "UPDATE audit SET {column} = CHAR(UNICODE({column}) {} 1) || SUBSTR({column}, 2) WHERE seq = 6543",
                if back { "-" } else { "+" }
            );
            change
        };
        log.tamper(&flip(false)).await;
        assert_eq!(log.fault().await, Some(AuditFault::Row(6543)), "{column}");
        log.tamper(&flip(true)).await;
    }
    for (change, back) in
        [("at = at + 1", "at = at - 1"), ("mac = CAST(mac || 'x' AS BLOB)", "mac = SUBSTR(mac, 1, 32)")]
    {
        log.tamper(&format!("UPDATE audit SET {change} WHERE seq = 6543")).await;
        assert_eq!(log.fault().await, Some(AuditFault::Row(6543)), "{change}");
        log.tamper(&format!("UPDATE audit SET {back} WHERE seq = 6543")).await;
    }
    assert_eq!(log.fault().await, None);
}

#[rstest::rstest]
#[case::the_first("DELETE FROM audit WHERE seq = 1", AuditFault::Row(1))]
#[case::one_in_between("DELETE FROM audit WHERE seq = 5", AuditFault::Row(5))]
#[case::the_last("DELETE FROM audit WHERE seq = 9", AuditFault::CutAfter(8))]
#[case::all("DELETE FROM audit", AuditFault::CutAfter(0))]
#[case::the_note("DELETE FROM meta WHERE key = 'audit.head'", AuditFault::Head)]
#[case::a_changed_note(
    "UPDATE meta SET value = '8' || SUBSTR(value, 2) WHERE key = 'audit.head'",
    AuditFault::Head
)]
#[case::another_actor("UPDATE audit SET actor_id = '99' WHERE seq = 3", AuditFault::Row(3))]
#[case::moved_between_fields(
    "UPDATE audit SET subject = 'machine', detail = ' 3' || detail WHERE seq = 3",
    AuditFault::Row(3)
)]
#[case::no_interaction("UPDATE audit SET interaction_id = NULL WHERE seq = 3", AuditFault::Row(3))]
#[case::a_number_as_code("UPDATE audit SET mac = 7 WHERE seq = 3", AuditFault::Row(3))]
#[case::a_row_more(
    "INSERT INTO audit SELECT 10, at, actor_id, actor_name, action, subject, outcome, detail, channel_id, NULL, reference, mac FROM audit WHERE seq = 9",
    AuditFault::Row(10)
)]
#[case::swapped(
    "UPDATE audit SET subject = CASE seq WHEN 3 THEN 'machine 4' ELSE 'machine 3' END WHERE seq IN (3, 4)",
    AuditFault::Row(3)
)]
#[tokio::test]
async fn what_is_done_to_it_shows(#[case] sql: &str, #[case] fault: AuditFault) {
    let log = Log::of(9).await;
    log.tamper(sql).await;
    assert_eq!(log.fault().await, Some(fault.clone()));
    // A later append does not hide it.
    log.store.audit(entry(100)).await.unwrap();
    assert!(log.fault().await.is_some());
}

#[tokio::test]
async fn the_rows_code_cannot_stand_in_for_the_note() {
    let log = Log::of(9).await;
    log.tamper("DELETE FROM audit WHERE seq = 9").await;
    log.tamper(
        "UPDATE meta SET value = '8:' || (SELECT LOWER(HEX(mac)) FROM audit WHERE seq = 8) || ':' || \
         SUBSTR(value, -64) WHERE key = 'audit.head'",
    )
    .await;
    assert_eq!(log.fault().await, Some(AuditFault::Head));
}

// The chain alone cannot detect a rollback of rows and head together. A head that was noted elsewhere does.
#[tokio::test]
async fn an_older_copy_shows_against_a_noted_end() {
    let log = Log::of(9).await;
    let older = log.store.meta(HEAD).await.unwrap().unwrap();
    log.store.audit(entry(10)).await.unwrap();
    let noted = log.store.verify_audit(None).await.unwrap().head;
    log.store.audit(entry(11)).await.unwrap();
    let noted = Head::parse(&noted.to_string()).unwrap();
    assert_eq!(log.store.verify_audit(Some(&noted)).await.unwrap().fault, None, "the log went on since");

    log.tamper("DELETE FROM audit WHERE seq > 9").await;
    log.tamper(&format!("UPDATE meta SET value = '{older}' WHERE key = 'audit.head'")).await;
    assert_eq!(log.fault().await, None);
    assert_eq!(log.store.verify_audit(Some(&noted)).await.unwrap().fault, Some(AuditFault::Expected(10)));
}

// D-8
#[tokio::test]
async fn an_interaction_has_one_entry() {
    let log = Log::of(1).await;
    assert!(!log.store.audit(entry(1)).await.unwrap());
    let another = AuditEntry { interaction: None, ..entry(1) };
    assert!(log.store.audit(another.clone()).await.unwrap());
    assert!(log.store.audit(another).await.unwrap(), "entries without one are never the same");
    assert_eq!(log.store.audited(10).await.unwrap().len(), 3);
    assert_eq!(log.fault().await, None);
}

#[tokio::test]
async fn only_the_first_key_will_do() {
    let log = Log::of(1).await;
    assert!(log.store.is_sealed().await.unwrap());
    log.store.unlock(&log.key).await.unwrap();
    assert!(matches!(log.store.unlock(&Key::random()).await, Err(Error::OtherKey(_))));
}

#[tokio::test]
async fn without_a_key_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (hints, _nobody) = HintSender::channel();
    let store = Store::open(&folder.path().join("nuncio.db"), Clock::system(), hints).await.unwrap();
    assert!(matches!(store.audit(entry(1)).await, Err(Error::NoKey)));
    assert!(!store.is_sealed().await.unwrap());
}

impl Log {
    /// The key is lost; the log continues with another.
    async fn rekey(&self) -> (Store, Key) {
        let (hints, _nobody) = HintSender::channel();
        let store = Store::open(self.store.path(), Clock::system(), hints).await.unwrap();
        let key = Key::random();
        let lock = Lock::acquire(store.path(), &Clock::system()).await.unwrap();
        assert!(matches!(store.unlock(&key).await, Err(Error::OtherKey(_))));
        let seq = store.rekey_audit(&key, &lock).await.unwrap();
        let rows = store.audited(1).await.unwrap();
        assert_eq!((seq, rows[0].action.as_str()), (Some(rows[0].seq), "audit.rekey"));
        store.unlock(&key).await.unwrap();
        assert_eq!(store.rekey_audit(&key, &lock).await.unwrap(), None, "it is its key already");
        (store, key)
    }
}

#[tokio::test]
async fn after_its_key_was_lost_the_log_goes_on_and_says_so() {
    let log = Log::of(9).await;
    let noted = log.store.verify_audit(None).await.unwrap().head;
    let (store, _) = log.rekey().await;
    store.audit(entry(100)).await.unwrap();
    let verified = store.verify_audit(Some(&noted)).await.unwrap();
    assert_eq!(
        (verified.fault, verified.entries),
        (None, 11),
        "the noted end of the old chain is part of it"
    );
    assert_eq!(verified.begun.unwrap().seq, 10);
    let detail = &store.audited(2).await.unwrap()[1].detail;
    assert!(detail.ends_with(&noted.to_string()), "{detail}");

    // A second rekeying.
    let again = Log { store, key: Key::random(), _folder: tempfile::tempdir().unwrap() };
    let (store, _) = again.rekey().await;
    let verified = store.verify_audit(None).await.unwrap();
    assert_eq!((verified.fault, verified.entries, verified.begun.unwrap().seq), (None, 12, 12));
}

// Control: without the hash over the earlier rows, the first, second and fifth case stay undetected.
#[rstest::rstest]
#[case::changed_before("UPDATE audit SET actor_id = '99' WHERE seq = 3", AuditFault::Earlier(10))]
#[case::removed_before("DELETE FROM audit WHERE seq = 5", AuditFault::Earlier(10))]
#[case::all_before("DELETE FROM audit WHERE seq < 10", AuditFault::Row(1))]
#[case::the_last_before("DELETE FROM audit WHERE seq = 9", AuditFault::Row(1))]
#[case::another_code_before(
    "UPDATE audit SET mac = CAST('x' AS BLOB) WHERE seq = 4",
    AuditFault::Earlier(10)
)]
#[case::the_new_beginning("UPDATE audit SET reference = 'sha256:00' WHERE seq = 10", AuditFault::Row(1))]
#[case::no_new_beginning("DELETE FROM audit WHERE seq = 10", AuditFault::Row(1))]
#[case::after_it("UPDATE audit SET detail = '' WHERE seq = 11", AuditFault::Row(11))]
#[case::the_end("DELETE FROM audit WHERE seq = 11", AuditFault::CutAfter(10))]
#[tokio::test]
async fn what_is_done_to_a_log_that_began_anew_shows(#[case] sql: &str, #[case] fault: AuditFault) {
    let log = Log::of(9).await;
    let (store, _) = log.rekey().await;
    store.audit(entry(100)).await.unwrap();
    log.tamper(sql).await;
    assert_eq!(store.verify_audit(None).await.unwrap().fault, Some(fault));
}

// Forged MACs that are right in everything but the key.
#[tokio::test]
async fn codes_made_with_another_key_do_not_pass() {
    let log = Log::of(9).await;
    let key = AuditKey::of(&Key::random());
    let rows = log.store.audited(10).await.unwrap();
    let mut before = Vec::new();
    for row in rows.iter().rev() {
        let forged = Audited { actor_id: "99".to_owned(), ..row.clone() };
        before = forged.seal(&key, &before).to_vec();
        let mac = hex::encode(&before);
        log.tamper(&format!("UPDATE audit SET actor_id = '99', mac = X'{mac}' WHERE seq = {}", row.seq))
            .await;
    }
    assert_eq!(log.fault().await, Some(AuditFault::Row(1)));
    let head = Head::seal(&key, 9, &before);
    log.tamper(&format!("UPDATE meta SET value = '{head}' WHERE key = 'audit.head'")).await;
    assert_eq!(log.fault().await, Some(AuditFault::Row(1)));
    // A forged rekey entry does not begin a new chain.
    log.tamper("UPDATE audit SET action = 'audit.rekey' WHERE seq = 5").await;
    assert_eq!(log.fault().await, Some(AuditFault::Row(1)));
}

// Control: if the first unreadable row is an error, nuncio can neither serve nor rekey.
#[tokio::test]
async fn a_log_that_cannot_be_read_whole_begins_anew_all_the_same() {
    let log = Log::of(9).await;
    log.tamper("UPDATE audit SET actor_id = X'FF' WHERE seq IN (3, 9)").await;
    let (store, _) = log.rekey().await;
    let detail = store.audited(1).await.unwrap()[0].detail.clone();
    assert!(detail.ends_with("; 2 of them could not be read, among them 3, 9"), "{detail}");
    store.audit(entry(100)).await.unwrap();
    assert_eq!(store.verify_audit(None).await.unwrap().fault, None);
    log.tamper("UPDATE audit SET actor_id = '1' WHERE seq = 3").await;
    assert_eq!(store.verify_audit(None).await.unwrap().fault, Some(AuditFault::Earlier(10)));
}

// O-3. Control: with each page read outside one snapshot, entries "were not written by nuncio" in some of the first
// hundred rounds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_written_meanwhile_is_never_called_tampered_with() {
    let log = Log::of(1).await;
    let mut writing = tokio::task::JoinSet::new();
    for round in 0..1000 {
        if round % 4 == 0 {
            let store = log.store.clone();
            writing.spawn(async move { store.audit(entry(1000 + round)).await.unwrap() });
        }
        assert_eq!(log.fault().await, None, "round {round}");
    }
    assert_eq!(writing.join_all().await.len(), 250);
    assert_eq!(log.store.verify_audit(None).await.unwrap().entries, 251);
}
