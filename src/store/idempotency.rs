//! Idempotency keys: the claim is made and the answer stored in the unit that makes the change, so neither exists
//! without the other. Answers are sealed, because they may hold a secret that is shown once.

use std::time::Duration;

use uuid::Uuid;

use crate::clock::{Moment, Timestamp};
use crate::key::Key;
use crate::model::{ApiKeyId, IdempotencyClaim, Idempotent, Mint, Once, OnceResult, OtherBody};
use crate::store::sql::{Executor, Row, Tx, query};
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

/// How long a key is remembered.
pub const IDEMPOTENCY_KEPT: Duration = Duration::from_secs(24 * 3600);

/// What a key was used for before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claimed {
    /// Nothing: go ahead, then store the answer.
    New,
    /// The same request; what was answered then.
    Answered(Vec<u8>),
    /// Another request.
    OtherBody,
}

/// Claims and answers within a unit.
#[derive(Clone, Debug)]
pub(super) struct ClaimLedger {
    key: Key,
    now: Moment,
}

/// The claim of a unit, with what it takes to keep its answer. Without a claim, both methods do nothing.
pub(super) struct OnceInUnit<T>(Option<(Once<T>, ClaimLedger)>);

impl<T> OnceInUnit<T> {
    /// First in the unit. `Some`: the unit must change nothing, and return this.
    pub(super) async fn claim(&self, tx: &mut Tx) -> Result<Option<OnceResult<T>>> {
        let Some((once, ledger)) = &self.0 else { return Ok(None) };
        Ok(match ledger.claim(tx, &once.claim).await? {
            Claimed::New => None,
            Claimed::Answered(answer) => Some(Ok(Idempotent::Before(answer))),
            Claimed::OtherBody => Some(Err(OtherBody)),
        })
    }

    /// Last in the unit: stores the answer. Not called by a unit that refuses to make its change: it forgets the claim
    /// instead.
    pub(super) async fn answer(&self, tx: &mut Tx, result: &T) -> Result<()> {
        match &self.0 {
            Some((once, ledger)) => ledger.answer(tx, &once.claim, &once.answer(result)).await,
            None => Ok(()),
        }
    }

    /// Withdraws the claim of a unit that changed nothing: the caller may correct the request and send it again.
    pub(super) async fn forget(&self, tx: &mut Tx) -> Result<()> {
        let Some((once, _)) = &self.0 else { return Ok(()) };
        query("DELETE FROM idempotency WHERE principal = $1 AND idempotency_key = $2 AND answer IS NULL")
            .bind(principal(&once.claim))
            .bind(&once.claim.key)
            .execute(tx)
            .await
            .map(drop)
    }
}

impl ClaimLedger {
    /// Claims the key, unless it was used before.
    pub(super) async fn claim(&self, tx: &mut Tx, claim: &IdempotencyClaim) -> Result<Claimed> {
        // A claim that is older than a day is over, whether retention has removed it or not.
        let claimed = query(
            "INSERT INTO idempotency (id, principal, idempotency_key, fingerprint, claimed_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (principal, idempotency_key) DO UPDATE SET id = excluded.id, fingerprint = excluded.fingerprint, \
             claimed_at = excluded.claimed_at, answer = NULL WHERE idempotency.claimed_at < $6",
        )
        .bind(Mint::new().next::<Uuid>(self.now.steady))
        .bind(principal(claim))
        .bind(&claim.key)
        .bind(&claim.fingerprint[..])
        .bind(self.now.wall.as_millis())
        .bind(self.now.wall.minus(IDEMPOTENCY_KEPT).as_millis())
        .execute(&mut *tx)
        .await?;
        if claimed > 0 {
            return Ok(Claimed::New);
        }
        find(tx, claim, &self.key, self.now.wall).await
    }

    /// Stores the answer to a claimed request.
    pub(super) async fn answer(&self, tx: &mut Tx, claim: &IdempotencyClaim, answer: &[u8]) -> Result<()> {
        query("UPDATE idempotency SET answer = $3 WHERE principal = $1 AND idempotency_key = $2")
            .bind(principal(claim))
            .bind(&claim.key)
            .bind(self.key.seal_bytes(&place(claim), answer))
            .execute(tx)
            .await
            .map(drop)
    }
}

impl Store {
    /// Prepares a claim for a unit.
    pub(super) fn once<T>(&self, once: Option<Once<T>>) -> Result<OnceInUnit<T>> {
        Ok(OnceInUnit(once.map(|once| Ok::<_, Error>((once, self.ledger()?))).transpose()?))
    }

    /// Claims and answers of a unit that begins now.
    pub(super) fn ledger(&self) -> Result<ClaimLedger> {
        Ok(ClaimLedger { key: self.seal_key()?.clone(), now: self.0.clock.moment() })
    }

    /// Returns what was answered to this very request before; `None` if its key is new.
    pub async fn idempotent_answer(
        &self,
        claim: &IdempotencyClaim,
    ) -> Result<std::result::Result<Option<Vec<u8>>, OtherBody>> {
        let (key, now) = (self.seal_key()?, self.0.clock.now());
        Ok(match find(self.read(), claim, key, now).await? {
            Claimed::New => Ok(None),
            Claimed::Answered(answer) => Ok(Some(answer)),
            Claimed::OtherBody => Err(OtherBody),
        })
    }

    /// Stores the answer to a request whose result is known only after I/O. Replaces an answer that its unit stored.
    pub async fn keep_idempotent_answer(&self, claim: IdempotencyClaim, answer: Vec<u8>) -> Result<()> {
        let ledger = self.ledger()?;
        self.writer().submit(KeepAnswer { ledger, claim, answer }).await
    }
}

struct KeepAnswer {
    ledger: ClaimLedger,
    claim: IdempotencyClaim,
    answer: Vec<u8>,
}

impl Unit for KeepAnswer {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        match self.ledger.claim(tx, &self.claim).await? {
            Claimed::New | Claimed::Answered(_) => self.ledger.answer(tx, &self.claim, &self.answer).await,
            Claimed::OtherBody => Ok(()),
        }
    }
}

async fn find(on: impl Executor, claim: &IdempotencyClaim, key: &Key, now: Timestamp) -> Result<Claimed> {
    let row = query(
        "SELECT fingerprint, answer FROM idempotency WHERE principal = $1 AND idempotency_key = $2 AND claimed_at >= $3",
    )
    .bind(principal(claim))
    .bind(&claim.key)
    .bind(now.minus(IDEMPOTENCY_KEPT).as_millis())
    .fetch_optional(on)
    .await?;
    row.map_or(Ok(Claimed::New), |row| read(&row, claim, key))
}

fn read(row: &Row, claim: &IdempotencyClaim, key: &Key) -> Result<Claimed> {
    if row.try_get::<Vec<u8>>("fingerprint")? != claim.fingerprint {
        return Ok(Claimed::OtherBody);
    }
    let sealed: Option<String> = row.try_get("answer")?;
    // A claim without an answer belongs to a unit that changed nothing.
    let Some(sealed) = sealed else { return Ok(Claimed::New) };
    let answer = key.open_bytes(&place(claim), &sealed);
    answer
        .map(Claimed::Answered)
        .ok_or_else(|| Error::Corrupt("the answer kept for an Idempotency-Key".to_owned()))
}

/// The column of the caller.
fn principal(claim: &IdempotencyClaim) -> Uuid {
    claim.principal.map_or(Uuid::nil(), ApiKeyId::into)
}

/// Where an answer is sealed: in another row it does not open.
fn place(claim: &IdempotencyClaim) -> String {
    format!("idempotency/{}/{}", principal(claim), claim.key)
}
