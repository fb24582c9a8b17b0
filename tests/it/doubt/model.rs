//! The model test: every message in doubt × what Discord made of it × who else writes there × a crash × a wrong clock,
//! each of them against the real lanes and the sandbox's Discord. Nothing may be lost, and nothing may be a duplicate
//! without the label that it may.
//!
//! The states are those of the diagram in `docs/guarantees.md`. A case is a channel of its own, so that all cases of one
//! crash and one clock run through the same process side by side.
//!
//! | taken away in `dispatch/sink/channel/in_doubt.rs` | what is red |
//! | --- | --- |
//! | any tag of a pack will do, instead of all | a pack beside a copy of one of its cards is lost |
//! | a message may be another row's receipt | a new card is taken for the one it replaces: lost |
//! | the wall clock says what was before | a day ahead, lines and packs are doubled without a label |
//! | nothing says what was before | what surely is absent gets a label |
//! | what is not on the page is absent | packs, lines and cards are doubled without a label |

use std::sync::Arc;
use std::time::Duration;

use nuncio::sandbox::Snowflake;
use nuncio::sandbox::discord::{Fault, LoggedRequest, RateLimits};
use serde_json::{Value, json};
use tracing::Level;

use super::{LABEL, sends};
use crate::harness::{Harness, at_shell, within};

/// How long Discord remembers a nonce here: well beyond nuncio's window of 15 s. The clock goes on by a step each time that
/// the test lets others work, also while a request is on its way or the disk takes its time.
const NONCES: Duration = Duration::from_secs(60);
/// More than a look reads.
const CROWD: usize = 101;
/// How many cards share a message: as many as there may be in one.
const PACK: usize = 10;
/// For how long what will share a message is held.
const HELD: Duration = Duration::from_secs(1800);
const HOUR: i64 = 3_600_000;
/// In the log once Discord answered the first request of a process.
const TOKEN_KNOWN: &str = "Discord knows this token";

/// What is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The first message that nuncio ever posts in its channel.
    Card,
    /// A pack that holds a redelivered event, whose first card is there.
    Pack,
    /// The line that answers a card.
    Reply,
    /// A card that takes the place of one that was changed and then cannot be changed any more.
    Successor,
}

/// What becomes of its tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Discord takes none until its nonce would be forgotten.
    Refused,
    /// Discord took the first, its answer is lost, and so are the next ones.
    Taken,
    /// Discord took the first, and answers the next.
    Answered,
}

/// Who else posts there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Others {
    Nobody,
    /// More than a look reads, before it is in doubt.
    Before,
    /// More than a look reads, after its first try.
    After,
    /// Somebody with the bot's token, who shows one of its cards.
    OneCard,
}

/// What happens to nuncio between the first try and the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Process {
    RunsOn,
    /// Down for so many seconds.
    Crashes(u64),
}

/// How far nuncio's wall clock is ahead of Discord's, in milliseconds: from the beginning, and by a step while the
/// message is in doubt.
#[derive(Clone, Copy, Debug)]
struct Skew {
    constant: i64,
    step: i64,
}

struct Case {
    form: Form,
    fate: Fate,
    others: Others,
    company: String,
    channel: Snowflake,
}

impl Case {
    fn name(&self) -> String {
        format!("{:?}, {:?}, {:?}", self.form, self.fate, self.others)
    }

    /// Makes its requests of this method meet `fault`.
    fn meets(&self, t: &Harness, method: &str, n: usize, fault: Fault) {
        let path = format!("{method} /api/v10/channels/{}/messages", self.channel);
        t.discord.faults().next_on(&path, n, fault);
    }

    async fn thing(&self, t: &Harness, number: usize) -> String {
        sends(
            t,
            json!({"event_type": "thing.happened", "company_id": self.company, "data": {"number": number}}),
        )
        .await
    }

    async fn ticket(&self, t: &Harness, kind: &str, priority: &str) -> String {
        let data =
            json!({"id": self.company, "seq_id": 1001, "title": "Network Issue", "priority": priority});
        sends(t, json!({"event_type": kind, "company_id": self.company, "data": data})).await
    }

    /// Whether a post was tried there that came to nothing or to no answer.
    fn is_in_doubt(&self, requests: &[Arc<LoggedRequest>]) -> bool {
        let path = format!("/channels/{}/messages", self.channel);
        let mut posts = requests.iter().filter(|asked| asked.method == "POST" && asked.path.ends_with(&path));
        posts.any(|asked| asked.status.is_none_or(|status| status == 503))
    }

    /// What nuncio asked of Discord about its messages.
    fn asked(&self, t: &Harness) -> Vec<String> {
        let path = format!("/channels/{}/messages", self.channel);
        let requests = t.discord.requests().into_iter().filter(|asked| asked.path.contains(&path));
        let line = |asked: Arc<LoggedRequest>| {
            let nonce = asked.body.as_ref().map(|body| body["nonce"].to_string()).unwrap_or_default();
            format!("{} {} {:?} {nonce}", asked.at.to_rfc3339(), asked.method, asked.status)
        };
        requests.map(line).collect()
    }

    /// The messages of nuncio's own that show what is in doubt: how many, and how many of them say that they may stand
    /// twice.
    fn shown(&self, t: &Harness) -> Vec<(&'static str, usize, usize)> {
        let messages = t.discord.messages(self.channel);
        let count = |what: &'static str, shows: &dyn Fn(&Value) -> bool| {
            let found: Vec<&Value> = messages.iter().filter(|message| shows(message)).collect();
            let labelled = found.iter().filter(|message| message.to_string().contains(LABEL)).count();
            (what, found.len(), labelled)
        };
        let thing = |message: &Value, number: usize, again: bool| {
            let embeds = message["embeds"].as_array().unwrap().iter();
            embeds.into_iter().any(|embed| {
                embed["description"].as_str().unwrap().ends_with(&format!("number: {number}"))
                    && embed["footer"]["text"].as_str().unwrap().contains("·2") == again
            })
        };
        match self.form {
            Form::Card => vec![count("the card", &|message| thing(message, 1, false))],
            Form::Pack => {
                // Somebody else shows its first card.
                let copies = usize::from(self.others == Others::OneCard);
                let (what, found, labelled) =
                    count("the redelivered one", &|message| thing(message, 1, true));
                let others =
                    (2..=PACK).map(|number| count("another", &|message| thing(message, number, false)));
                std::iter::once((what, found - copies, labelled)).chain(others).collect()
            }
            Form::Reply => {
                let line = "📝 #1001: high → low";
                vec![count("the line", &|message| message["content"].as_str().unwrap().ends_with(line))]
            }
            Form::Successor => {
                let first = messages.iter().find(|message| !message["embeds"].as_array().unwrap().is_empty());
                let first = first.unwrap()["id"].clone();
                let shows = |message: &Value| {
                    message["id"] != first && message["embeds"][0]["title"] == "📝 #1001 Network Issue"
                };
                vec![count("the new card", &shows)]
            }
        }
    }

    /// Nothing is lost, and what stands twice says so. Where Discord can tell, nothing is doubled at all. What is wrong
    /// with it, if anything.
    fn judge(&self, t: &Harness) -> Vec<String> {
        let mut wrong = Vec::new();
        for (what, found, labelled) in self.shown(t) {
            let case = format!("{}: {what} stands {found} times, {labelled} times with a label", self.name());
            if found == 0 {
                wrong.push(format!("lost. {case}"));
            } else if found - labelled > 1 {
                wrong.push(format!("doubled without a label. {case}"));
            } else if self.others != Others::After && (found, labelled) != (1, 0) {
                wrong.push(format!("more than needed. {case}"));
            }
        }
        wrong
    }
}

/// Every case there is, on a stage where each has a channel.
async fn stage() -> (Harness, Vec<Case>) {
    let mut cases = Vec::new();
    let t = Harness::with_discord(|variables, discord| {
        let mut map = json!({"default": [discord.channel_id("general")]});
        for form in [Form::Card, Form::Pack, Form::Reply, Form::Successor] {
            for fate in [Fate::Refused, Fate::Taken, Fate::Answered] {
                for others in [Others::Nobody, Others::Before, Others::After, Others::OneCard] {
                    if others == Others::OneCard && form != Form::Pack {
                        continue;
                    }
                    let company = format!("c{}", cases.len());
                    let channel = discord.add_channel(&company);
                    map[format!("*@{company}")] = json!([channel]);
                    cases.push(Case { form, fate, others, company, channel });
                }
            }
        }
        variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), map.to_string());
    })
    .await;
    t.discord.set_rate_limits(RateLimits::unlimited());
    t.discord.set_nonce_window(NONCES);
    t.introduced().await;
    (t, cases)
}

fn crowd(t: &Harness, cases: &[Case], when: Others) {
    let alice = t.discord.user_id("alice").unwrap();
    for case in cases.iter().filter(|case| case.others == when) {
        for number in 0..CROWD {
            assert!(t.discord.post_as(alice, case.channel, &json!({"content": format!("line {number}")})));
        }
    }
}

/// What stands there before: first cards, and the crowd.
async fn prepare(t: &Harness, cases: &[Case]) -> Vec<Option<String>> {
    let mut first = Vec::new();
    for case in cases {
        first.push(match case.form {
            Form::Card => None,
            Form::Pack => Some(case.thing(t, 1).await),
            Form::Reply | Form::Successor => Some(case.ticket(t, "ticket.created", "high").await),
        });
    }
    t.settle_in_steps(Duration::from_millis(20)).await;
    crowd(t, cases, Others::Before);
    first
}

/// Brings every message in doubt.
async fn doubt(t: &mut Harness, cases: &[Case], first: &[Option<String>]) {
    let packs = || cases.iter().zip(first).filter(|(case, _)| case.form == Form::Pack);
    for (case, first) in packs() {
        // It has to wait: then what comes meanwhile shares a message with it.
        case.meets(t, "POST", 1, Fault::rate_limited(HELD, "user"));
        t.hub().redeliver_event(first.as_deref().unwrap().parse().unwrap(), &at_shell()).await.unwrap();
    }
    let began = t.clock.elapsed();
    within("what was redelivered to be held", async {
        while t.discord.faults().pending() > 0 {
            // What is held must still be held when the others come.
            if t.clock.elapsed() < began + HELD / 2 {
                t.clock.advance(Duration::from_millis(100));
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    for (case, _) in packs() {
        for number in 2..=PACK {
            case.thing(t, number).await;
        }
    }
    // A lane that begins reads all that waits: what was held goes out together, and not the redelivered one alone.
    let known = |t: &Harness| t.log.at(Level::INFO).iter().filter(|line| line.contains(TOKEN_KNOWN)).count();
    let before = known(t);
    t.restart().await;
    // From Discord's first answer on its time is known. A message planned before that could not be looked for.
    t.log.seen_times(Level::INFO, TOKEN_KNOWN, before + 1).await;
    for case in cases {
        match case.fate {
            Fate::Refused => case.meets(t, "POST", 7, Fault::status(503)),
            Fate::Taken => {
                case.meets(t, "POST", 1, Fault::CutAfter);
                case.meets(t, "POST", 6, Fault::status(503));
            }
            Fate::Answered => case.meets(t, "POST", 1, Fault::CutAfter),
        }
    }
    // Before anything is on its way: a request that was sent before such a jump would come after its nonce is forgotten.
    t.clock.advance(HELD);
    for case in cases {
        match case.form {
            Form::Card => drop(case.thing(t, 1).await),
            Form::Pack => {}
            Form::Reply => drop(case.ticket(t, "ticket.updated", "low").await),
            Form::Successor => {
                case.meets(t, "PATCH", 1, Fault::CutAfter);
                case.meets(t, "PATCH", 1, Fault::refusal(400, 30046, "Maximum number of edits"));
                case.ticket(t, "ticket.updated", "low").await;
            }
        }
    }
    within("every message to be in doubt", async {
        let mut seen = None;
        loop {
            let counts = t.discord.counts();
            if seen.replace(counts) != Some(counts) {
                let requests = t.discord.requests();
                if cases.iter().all(|case| case.is_in_doubt(&requests)) {
                    break;
                }
            }
            t.clock.advance(Duration::from_millis(20));
            tokio::task::yield_now().await;
        }
    })
    .await;
    crowd(t, cases, Others::After);
    for case in cases.iter().filter(|case| case.others == Others::OneCard) {
        let path = format!("/channels/{}/messages", case.channel);
        let requests = t.discord.requests();
        let mut packs =
            requests.iter().rev().filter(|asked| asked.method == "POST" && asked.path.ends_with(&path));
        let pack = packs.find_map(|asked| asked.body.clone()).unwrap();
        assert_eq!(pack["embeds"].as_array().unwrap().len(), PACK, "a pack: {pack}");
        let copy = json!({"content": "a copy", "embeds": [pack["embeds"][0]]});
        assert!(t.discord.post_as(t.discord.application_id(), case.channel, &copy));
    }
}

// K-9, K-10
#[rstest::rstest]
#[case::runs_on(Process::RunsOn, Skew { constant: 0, step: 0 })]
#[case::runs_on_and_is_set_back(Process::RunsOn, Skew { constant: 31_000, step: -HOUR })]
#[case::crashes_a_day_ahead(Process::Crashes(1), Skew { constant: 24 * HOUR, step: 0 })]
#[case::crashes_a_day_behind(Process::Crashes(1), Skew { constant: -24 * HOUR, step: 0 })]
#[case::is_away(Process::Crashes(60), Skew { constant: 0, step: 0 })]
#[case::is_away_a_day_ahead(Process::Crashes(60), Skew { constant: 24 * HOUR, step: 0 })]
#[case::is_away_and_set_back(Process::Crashes(60), Skew { constant: 31_000, step: -HOUR })]
#[case::is_away_and_set_forward(Process::Crashes(60), Skew { constant: 0, step: 24 * HOUR })]
#[tokio::test]
async fn whatever_is_in_doubt_nothing_is_lost_and_nothing_is_doubled_in_silence(
    #[case] process: Process,
    #[case] skew: Skew,
) {
    let (mut t, cases) = stage().await;
    t.clock.step_wall(skew.constant);
    t.restart().await;
    let first = prepare(&t, &cases).await;
    doubt(&mut t, &cases, &first).await;
    if let Process::Crashes(seconds) = process {
        t.stop().await;
        t.clock.advance(Duration::from_secs(seconds));
        t.clock.step_wall(skew.step);
        t.boot().await;
    } else {
        t.clock.step_wall(skew.step);
    }
    // In small steps: a nonce must not be forgotten while a request is on its way.
    t.settle_in_steps(Duration::from_millis(20)).await;
    let mut wrong = Vec::new();
    for case in &cases {
        let found = case.judge(&t);
        if !found.is_empty() {
            wrong.push(format!("{} asked for: {:#?}", case.name(), case.asked(&t)));
        }
        wrong.extend(found);
        let unread = t.channel(&case.company).unread().len();
        t.channel(&case.company).next_messages(unread).await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    t.finish().await;
}
