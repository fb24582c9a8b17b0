//! API keys: who gets in, until when, and what is kept of a key; requests that are carried out once.
//!
//! | protection | control: taken away, and seen red |
//! | --- | --- |
//! | a revoked or expired key is refused | `state == Active` in `authenticate` |
//! | a key of one company manages its own only | `sees` in `managed_key` and in `keys` |
//! | a key with an owner manages none | `OwnersKey` in `may_manage_keys` |
//! | only its hash is stored | the text in place of the hash in `insert` |
//! | an answer that holds a key is sealed | `seal_bytes` in `ClaimLedger::answer` |
//! | the claim and the effect are one unit | `OnceInUnit::claim` left out of `Add` |
//! | another body is another request | the look at the fingerprint in `read` |
//! | the last use is written once a minute | `is_due` always true |

use std::process::Command;
use std::time::Duration;

use nuncio::hub::{Conflict, Error, KEY_OVERLAP};
use nuncio::model::{
    ApiKeyState, ApiRole, By, IdempotencyClaim, Idempotent, IssuedApiKey, NewApiKey, Once, Principal,
};
use nuncio::secret::Secret;
use serde_json::Value;

use crate::database::Database;
use crate::harness::{Harness, by, http};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const BOOTSTRAP: &str = "canary-api-key-0123456789";

async fn harness() -> Harness {
    Harness::with(|variables| drop(variables.insert("NUNCIO_API_KEY".to_owned(), BOOTSTRAP.to_owned()))).await
}

fn about(name: &str, role: ApiRole) -> NewApiKey {
    NewApiKey { name: name.to_owned(), role, company: None, owner: None, expires_at: None }
}

async fn creates(t: &Harness, about: NewApiKey) -> IssuedApiKey {
    t.hub().create_key(about, None, &by("Alice")).await.unwrap().done().unwrap()
}

fn text(issued: &IssuedApiKey) -> &str {
    issued.token.secret().expose()
}

/// Who this key stands for.
async fn who(t: &Harness, key: &str) -> Option<Principal> {
    t.hub().authenticate(&Secret::new(key)).await.unwrap()
}

/// How `/metrics`, which is for operators, answers a request from elsewhere with this header.
async fn metrics(t: &Harness, header: &str, value: &str) -> u16 {
    let request = http().get(t.url("/metrics")).header("x-forwarded-for", "192.0.2.1").header(header, value);
    request.send().await.unwrap().status().as_u16()
}

// A-8
#[tokio::test]
async fn a_key_opens_what_its_role_may_see_as_long_as_it_is_valid() {
    let t = harness().await;
    let admin = creates(&t, about("ops", ApiRole::Admin)).await;
    let sender = creates(&t, about("web shop", ApiRole::Sender)).await;
    let company = NewApiKey { company: Some("acme".to_owned()), ..about("acme", ApiRole::Admin) };
    let company = creates(&t, company).await;
    let expires_at = Some(t.clock.now().plus(HOUR));
    let brief = creates(&t, NewApiKey { expires_at, ..about("audit", ApiRole::Admin) }).await;

    assert_eq!(who(&t, BOOTSTRAP).await, Some(Principal::bootstrap()));
    assert_eq!(who(&t, text(&admin)).await, Some(admin.key.principal()));
    assert_eq!(who(&t, text(&sender)).await.unwrap().role, ApiRole::Sender);
    assert_eq!(who(&t, text(&company)).await.unwrap().company.as_deref(), Some("acme"));
    let mistyped = format!("{}{}", &text(&admin)[..45], if text(&admin).ends_with('a') { 'b' } else { 'a' });
    for wrong in [mistyped.as_str(), "", "nun_", &BOOTSTRAP[1..], &format!("{BOOTSTRAP}0")] {
        assert_eq!(who(&t, wrong).await, None, "{wrong:?}");
    }

    for (key, status) in [(&admin, 200), (&brief, 200), (&sender, 401), (&company, 401)] {
        assert_eq!(metrics(&t, "authorization", &format!("Bearer {}", text(key))).await, status);
        assert_eq!(metrics(&t, "x-api-key", text(key)).await, status);
    }

    t.clock.advance(HOUR);
    assert_eq!(who(&t, text(&brief)).await, None, "it has expired");
    assert!(t.hub().revoke_key(admin.key.id, &by("Alice")).await.unwrap());
    assert_eq!(who(&t, text(&admin)).await, None, "it was revoked");
    assert!(!t.hub().revoke_key(admin.key.id, &by("Alice")).await.unwrap(), "it was revoked before");
    assert_eq!(metrics(&t, "x-api-key", text(&admin)).await, 401);
    let states: Vec<_> = t.hub().keys(None).await.unwrap();
    let states: Vec<_> = states.iter().map(|key| key.state(t.hub().key_time())).collect();
    let (active, expired, revoked) = (ApiKeyState::Active, ApiKeyState::Expired, ApiKeyState::Revoked);
    assert_eq!(states, [revoked, active, active, expired]);
    t.finish().await;
}

#[tokio::test]
async fn a_rotated_key_is_accepted_beside_the_new_one_for_a_while() {
    let t = harness().await;
    let expires_at = Some(t.clock.now().plus(10 * DAY));
    let old = creates(&t, NewApiKey { expires_at, ..about("web shop", ApiRole::Sender) }).await;
    t.clock.advance(DAY);
    let new = t.hub().rotate_key(old.key.id, KEY_OVERLAP, None, &by("Alice")).await.unwrap().done().unwrap();
    assert_eq!((new.key.about.role, new.key.about.name.as_str()), (ApiRole::Sender, "web shop"));
    let lasts = new.key.about.expires_at.unwrap().since(new.key.created_at);
    assert!(lasts.abs_diff(10 * DAY) < Duration::from_secs(5), "as long as the old one: {lasts:?}");
    assert!(who(&t, text(&old)).await.is_some() && who(&t, text(&new)).await.is_some());
    // By its name, the current one is meant.
    assert_eq!(t.hub().key_named("web shop", None).await.unwrap().id, new.key.id);
    let again = t.hub().rotate_key(old.key.id, KEY_OVERLAP, None, &by("Alice")).await;
    assert!(matches!(again, Err(Error::Conflict(Conflict::KeyEnded))), "{again:?}");

    t.clock.advance(DAY);
    assert!(who(&t, text(&old)).await.is_none() && who(&t, text(&new)).await.is_some());
    let last =
        t.hub().rotate_key(new.key.id, Duration::ZERO, None, &by("Alice")).await.unwrap().done().unwrap();
    assert!(who(&t, text(&new)).await.is_none(), "it leaked");
    assert!(who(&t, text(&last)).await.is_some());
    let details: Vec<String> =
        t.store().audited(10).await.unwrap().into_iter().map(|entry| entry.detail).collect();
    assert!(details[0].contains(&format!("replaces {}, which is revoked", new.key.id)), "{details:?}");
    t.finish().await;
}

// Whose keys a key manages: the matrix of role, company and owner.
#[tokio::test]
async fn a_key_manages_the_keys_of_its_company_and_no_others() {
    let t = harness().await;
    let of = |company: Option<&str>, owner: Option<&str>, role, name: &str| NewApiKey {
        company: company.map(str::to_owned),
        owner: owner.map(str::to_owned),
        ..about(name, role)
    };
    let mut keys = Vec::new();
    for company in [None, Some("acme"), Some("other")] {
        for owner in [None, Some("u-1")] {
            for role in ApiRole::ALL {
                let name = format!("{company:?} {owner:?} {role}");
                keys.push(creates(&t, of(company, owner, role, &name)).await.key);
            }
        }
    }
    for key in &keys {
        let (principal, name) = (key.principal(), &key.about.name);
        let by = By::key(&principal, "api.keys.create");
        let entries = t.store().audited(1).await.unwrap()[0].seq;
        let made = t.hub().create_key(about("new", ApiRole::Reader), None, &by).await;
        let listed = t.hub().keys(Some(&principal)).await;
        if principal.role != ApiRole::Admin || principal.owner.is_some() {
            assert!(matches!(made, Err(Error::Forbidden(_))), "{name}: {made:?}");
            assert!(matches!(listed, Err(Error::Forbidden(_))), "{name}");
            let entry = t.store().audited(1).await.unwrap().remove(0);
            assert_eq!((entry.seq, entry.outcome.as_str()), (entries + 1, "refused"), "{name}");
            assert_eq!((entry.actor_id, &entry.actor_name), (key.id.to_string(), name));
            continue;
        }
        let made = made.unwrap().done().unwrap().key;
        assert_eq!(made.about.company, principal.company, "{name}");
        let listed = listed.unwrap();
        let own = |company: &Option<String>| principal.company.is_none() || *company == principal.company;
        assert!(listed.iter().all(|key| own(&key.about.company)), "{name}");
        for other in &keys {
            let is_own = own(&other.about.company);
            assert_eq!(
                listed.iter().any(|key| key.id == other.id),
                is_own,
                "{name} sees {}",
                other.about.name
            );
            if !is_own {
                // Another company's does not exist.
                let by = By::key(&principal, "api.keys.revoke");
                let revoked = t.hub().revoke_key(other.id, &by).await;
                assert!(matches!(revoked, Err(Error::NotFound(_))), "{name}: {revoked:?}");
                let rotated = t.hub().rotate_key(other.id, HOUR, None, &by).await;
                assert!(matches!(rotated, Err(Error::NotFound(_))), "{name}: {rotated:?}");
            }
        }
        let foreign = of(Some("a third"), None, ApiRole::Admin, "x");
        let foreign = t.hub().create_key(foreign, None, &by).await;
        assert_eq!(foreign.is_ok(), principal.company.is_none(), "{name}");
    }
    t.finish().await;
}

/// Whether a file of the database holds these bytes. Another process reads them: if this one closed a file that SQLite has
/// open, the locks of nuncio's connections, which are in this process, would be gone (SQLite: "How To Corrupt", 2.2).
fn is_stored(t: &Harness, what: &str) -> bool {
    let files = std::fs::read_dir(t.folder()).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| Command::new("cat").arg(path).output().unwrap().stdout;
    files.filter(|path| path.is_file()).map(read).any(|bytes| memmem(&bytes, what.as_bytes()))
}

fn memmem(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

// S-1
#[tokio::test]
async fn a_key_is_printed_once_and_only_its_hash_is_kept() {
    let t = harness().await;
    let created = t.runs(&["keys", "create", "web shop", "--role", "sender", "--expires-in", "90d"]).await;
    assert_eq!(created.code, 0, "{}", created.stderr);
    let key = created.stdout.trim_end();
    assert!(key.starts_with("nun_") && key.len() == 46 && !key.contains(char::is_whitespace), "{key}");
    assert!(created.stderr.contains("web shop") && !created.stderr.contains(key), "{}", created.stderr);
    let principal = who(&t, key).await.unwrap();
    assert_eq!((principal.role, principal.name.as_str()), (ApiRole::Sender, "web shop"));
    assert!(!is_stored(&t, key), "the key is in the database");
    // The control of `is_stored`.
    assert!(is_stored(&t, "web shop"));

    let listed = t.runs(&["keys", "list", "--json"]).await.stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["name"], "web shop");
    assert_eq!(listed[0]["ending"], key[42..]);
    assert_eq!(listed[0]["state"], "active");
    assert_eq!(listed[0]["id"], principal.key.unwrap().to_string());
    let table = t.runs(&["keys", "list"]).await.stdout;
    assert!(table.contains("web shop") && !table.contains(key), "{table}");
    assert_eq!(t.runs(&["keys", "revoke", "web shop"]).await.code, 0);
    assert_eq!(who(&t, key).await, None, "the running server knows at once");
    let missing = t.runs(&["keys", "revoke", "nobody"]).await;
    assert!(missing.code == 1 && missing.stderr.contains("nuncio keys list"), "{}", missing.stderr);
    assert_eq!(t.runs(&["keys", "create", "x", "--role", "root"]).await.code, 2);
    assert_eq!(t.runs(&["keys", "create", key, "--role", "reader"]).await.code, 2, "a key is no name");
    t.finish().await;
}

#[tokio::test]
async fn the_last_use_is_written_once_a_minute() {
    let t = harness().await;
    let key = creates(&t, about("web shop", ApiRole::Sender)).await;
    let used = async || {
        assert!(who(&t, text(&key)).await.is_some());
        // A change after it: whatever was in the writer's queue is committed.
        t.store().set_meta("test", String::new()).await.unwrap();
        t.hub().keys(None).await.unwrap()[0].last_used_at
    };
    let first = used().await.unwrap();
    t.clock.advance(Duration::from_secs(30));
    assert_eq!(used().await, Some(first));
    t.clock.advance(Duration::from_secs(30));
    assert!(used().await.unwrap() > first);
    t.finish().await;
}

fn once(claim: IdempotencyClaim) -> Once<IssuedApiKey> {
    Once::new(claim, |issued: &IssuedApiKey| issued.token.secret().expose().as_bytes().to_vec())
}

// A-9
#[tokio::test]
async fn a_request_with_an_idempotency_key_is_carried_out_once() {
    let t = harness().await;
    let body = br#"{"name":"web shop"}"#;
    let claim = |body: &[u8]| IdempotencyClaim::new("canary-1", None, "POST", "/v1/keys", body);
    let create = async |claim| {
        t.hub().create_key(about("web shop", ApiRole::Sender), Some(once(claim)), &by("Alice")).await
    };
    let Idempotent::Done(first) = create(claim(body)).await.unwrap() else { panic!("it is the first") };
    assert!(!is_stored(&t, text(&first)), "the answer is sealed");
    let entries = t.store().audited(1).await.unwrap()[0].seq;
    let Idempotent::Before(answer) = create(claim(body)).await.unwrap() else { panic!("it is a repetition") };
    assert_eq!(answer, text(&first).as_bytes());
    let other = create(claim(b"{}")).await;
    assert!(matches!(other, Err(Error::Conflict(Conflict::OtherBody))), "{other:?}");
    assert_eq!(t.store().audited(1).await.unwrap()[0].seq, entries, "nothing was done");
    // Another caller's key is another one.
    let theirs = IdempotencyClaim { principal: Some(first.key.id), ..claim(body) };
    assert!(matches!(create(theirs).await.unwrap(), Idempotent::Done(_)));
    assert_eq!(t.hub().keys(None).await.unwrap().len(), 2);

    // Many at once: one is carried out.
    let racing = IdempotencyClaim::new("canary-2", None, "POST", "/v1/keys", body);
    let all = futures_util::future::join_all((0..16).map(|_| create(racing.clone()))).await;
    let done = all.into_iter().filter(|one| matches!(one, Ok(Idempotent::Done(_)))).count();
    assert_eq!((done, t.hub().keys(None).await.unwrap().len()), (1, 3));

    // After a day the key is free again, and the chore has removed it.
    t.clock.advance(DAY + Duration::from_secs(1));
    // nuncio itself does the same at about this time.
    t.hub().run_retention(t.clock.now().minus(30 * DAY)).await.unwrap();
    let database = Database::open(t.folder().join("nuncio.db")).await.unwrap();
    assert_eq!(database.value::<i64>("SELECT COUNT(*) FROM idempotency").await.unwrap(), 0);
    assert!(matches!(create(claim(b"{}")).await.unwrap(), Idempotent::Done(_)));
    t.finish().await;
}

// A refused rotation leaves no claim: the caller may correct the request.
#[tokio::test]
async fn a_request_that_changed_nothing_leaves_its_idempotency_key_free() {
    let t = harness().await;
    let key = creates(&t, about("web shop", ApiRole::Sender)).await.key;
    let claim = IdempotencyClaim::new("canary-3", None, "POST", "/v1/keys/rotate", b"");
    t.hub().revoke_key(key.id, &by("Alice")).await.unwrap();
    for _ in 0..2 {
        let refused = t.hub().rotate_key(key.id, HOUR, Some(once(claim.clone())), &by("Alice")).await;
        assert!(matches!(refused, Err(Error::Conflict(Conflict::KeyEnded))), "{refused:?}");
    }
    assert_eq!(t.hub().earlier_answer(&claim).await.unwrap(), None);

    // A request that does I/O holds its key meanwhile, and keeps its answer itself.
    let held = t.hub().hold_key(&claim).unwrap();
    assert!(matches!(t.hub().hold_key(&claim), Err(Error::Conflict(Conflict::InFlight))));
    t.hub().keep_answer(claim.clone(), b"\xffdone".to_vec()).await.unwrap();
    drop(held);
    assert!(t.hub().hold_key(&claim).is_ok());
    assert_eq!(t.hub().earlier_answer(&claim).await.unwrap().as_deref(), Some(&b"\xffdone"[..]));
    let other = IdempotencyClaim { fingerprint: [0; 32], ..claim };
    assert!(matches!(t.hub().earlier_answer(&other).await, Err(Error::Conflict(Conflict::OtherBody))));
    t.finish().await;
}
