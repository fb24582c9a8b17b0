//! Lookup of questions about machines: by id, by name, or all that are pending.

use crate::hub::Hub;
use crate::model::{Decision, Source};
use crate::store;

/// How many pending machines are searched for a name.
const SEARCHED: u32 = 1000;

impl Hub {
    /// The machines that wait for a decision, oldest first, after the first `skip`; at most `limit`.
    pub async fn undecided_machines(&self, skip: u32, limit: u32) -> store::Result<Vec<Decision>> {
        self.0.store.undecided_machines(skip, limit).await
    }

    /// The newest question about each machine with this platform id, one for each customer that has such a machine.
    /// If `id` is a question's own id, that question alone.
    pub async fn decisions_about_machine(&self, id: &str) -> store::Result<Vec<Decision>> {
        if let Ok(id) = id.parse() {
            return Ok(self.0.store.decision(id).await?.into_iter().collect());
        }
        self.0.store.decisions_about_machine(Source::XtSystems, &[id.to_owned()]).await
    }

    /// The newest question about each machine that `text` names: by its id, else by the name on its card, among
    /// pending ones.
    pub async fn decisions_named(&self, text: &str) -> store::Result<Vec<Decision>> {
        let by_id = self.decisions_about_machine(text).await?;
        if !by_id.is_empty() {
            return Ok(by_id);
        }
        let mut by_name = self.undecided_machines(0, SEARCHED).await?;
        by_name.retain(|decision| decision.label.eq_ignore_ascii_case(text));
        Ok(by_name)
    }
}
