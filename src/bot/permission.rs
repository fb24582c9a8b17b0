//! Missing permissions of the bot in a channel, and which overwrite denies them. Pure.
//!
//! Computed as Discord does (Discord: "Permission Hierarchy"): the union of the roles' grants, then the channel's
//! overwrites for `@everyone`, for the roles held, for the member.

use std::fmt;

use crate::bot::guild::{Channel, Guild, Overwrite, Whom};
use crate::hub::ChannelObstacle;

const ADMINISTRATOR: u64 = 1 << 3;
const MANAGE_CHANNELS: u64 = 1 << 4;
const MENTION_EVERYONE: u64 = 1 << 17;

/// Permissions that deliveries need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    ViewChannel,
    SendMessages,
    SendMessagesInThreads,
    EmbedLinks,
    ReadMessageHistory,
    /// Needed in locked threads only.
    ManageThreads,
}

impl Needed {
    /// Discord: "Bitwise Permission Flags".
    const fn bit(self) -> u64 {
        match self {
            Self::ViewChannel => 1 << 10,
            Self::SendMessages => 1 << 11,
            Self::SendMessagesInThreads => 1 << 38,
            Self::EmbedLinks => 1 << 14,
            Self::ReadMessageHistory => 1 << 16,
            Self::ManageThreads => 1 << 34,
        }
    }

    /// The permission's name in Discord's settings.
    const fn name(self) -> &'static str {
        match self {
            Self::ViewChannel => "View Channel",
            Self::SendMessages => "Send Messages",
            Self::SendMessagesInThreads => "Send Messages in Threads",
            Self::EmbedLinks => "Embed Links",
            Self::ReadMessageHistory => "Read Message History",
            Self::ManageThreads => "Manage Threads",
        }
    }
}

/// Why a permission is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The channel denies it to `@everyone`.
    Everyone,
    /// The channel denies it to one of the bot's roles.
    Role(String),
    /// The channel denies it to the bot itself.
    Bot,
    /// None of the bot's roles grants it.
    NotGranted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) needed: Needed,
    pub(super) cause: Cause,
    /// The channel whose overwrites apply: for a thread, its parent channel.
    channel: String,
    /// The category that the channel's overwrites are synced with.
    category: Option<String>,
}

impl Missing {
    /// The missing permission and how to grant it.
    pub(super) fn obstacle(&self) -> ChannelObstacle {
        ChannelObstacle { found: self.to_string(), remedy: self.remedy() }
    }

    /// Where a person grants it, with the names of Discord's settings.
    fn remedy(&self) -> String {
        let name = self.needed.name();
        let settings = match &self.category {
            Some(category) => format!(
                "the settings of the category {category}, which #{} takes them over from (Edit Category, Permissions)",
                self.channel
            ),
            None => format!("the settings of #{} (Edit Channel, Permissions)", self.channel),
        };
        match &self.cause {
            Cause::Everyone => format!("In {settings}, add the bot or its role and allow {name}"),
            Cause::Role(role) => format!(
                "In {settings}, take back the denial of {name} for @{}, or add the bot and allow it",
                role.trim_start_matches('@')
            ),
            Cause::Bot => {
                format!("In {settings}, choose the bot and allow {name}, or remove the bot's entry")
            }
            Cause::NotGranted => format!(
                "Grant {name} to the bot's role (Server Settings, Roles), or add the bot in {settings} and allow it"
            ),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "missing {} (", self.needed.name())?;
        match &self.cause {
            Cause::Everyone => f.write_str("denied to @everyone")?,
            Cause::Role(name) => write!(f, "denied by role @{}", name.trim_start_matches('@'))?,
            Cause::Bot => f.write_str("denied to the bot itself")?,
            Cause::NotGranted => return f.write_str("granted by no role of the bot)"),
        }
        match &self.category {
            Some(category) => write!(f, ", in the category {category})"),
            None => f.write_str(")"),
        }
    }
}

/// What `bot` lacks in `channel` of `guild` to deliver there. Without View Channel, nothing else is listed.
pub(super) fn missing(guild: &Guild, channel: &Channel, bot: u64) -> Vec<Missing> {
    let sending =
        if channel.thread_of.is_some() { Needed::SendMessagesInThreads } else { Needed::SendMessages };
    if let Some(missing) = lacks(guild, channel, bot, Needed::ViewChannel) {
        return vec![missing];
    }
    let needed = [sending, Needed::EmbedLinks, Needed::ReadMessageHistory];
    needed.into_iter().filter_map(|needed| lacks(guild, channel, bot, needed)).collect()
}

/// Why no message can be posted in `channel`, whatever the write permissions: a forum, a locked thread.
pub(super) fn unfit(guild: &Guild, channel: &Channel, bot: u64) -> Option<ChannelObstacle> {
    if let Some(unfit) = channel.unfit {
        return Some(ChannelObstacle { found: unfit.found.to_owned(), remedy: unfit.remedy.to_owned() });
    }
    let is_shut = channel.is_locked && lacks(guild, channel, bot, Needed::ManageThreads).is_some();
    is_shut.then(|| ChannelObstacle {
        found: "is a locked thread, in which only moderators write".to_owned(),
        remedy: "Unlock it (right-click the thread, Unlock Thread), or allow the bot Manage Threads in the settings of its \
                 channel (Edit Channel, Permissions)"
            .to_owned(),
    })
}

/// Whether `needed` is missing in `channel`, and why.
fn lacks(guild: &Guild, channel: &Channel, bot: u64, needed: Needed) -> Option<Missing> {
    let base = granted(guild);
    if bot == guild.owner || base & ADMINISTRATOR != 0 {
        return None;
    }
    let holder = channel.thread_of.and_then(|parent| guild.channels.get(&parent)).unwrap_or(channel);
    let cause = denied(guild, &holder.overwrites, bot, base, needed.bit())?;
    let category = synced_with(guild, holder).filter(|_| cause != Cause::NotGranted);
    Some(Missing { needed, cause, channel: holder.name.clone(), category })
}

/// The category that `channel`'s overwrites are synced with: people change them there.
fn synced_with(guild: &Guild, channel: &Channel) -> Option<String> {
    let category = channel.category.and_then(|category| guild.channels.get(&category))?;
    let is_in =
        |one: &[Overwrite], other: &[Overwrite]| one.iter().all(|overwrite| other.contains(overwrite));
    let is_synced = !channel.overwrites.is_empty()
        && is_in(&channel.overwrites, &category.overwrites)
        && is_in(&category.overwrites, &channel.overwrites);
    is_synced.then(|| category.name.clone())
}

/// Whether `bot` may mention every role in `channel` (Discord: "Mention @everyone, @here, and All Roles").
pub(super) fn may_mention_all(guild: &Guild, channel: &Channel, bot: u64) -> bool {
    let base = granted(guild);
    let parent = channel.thread_of.and_then(|parent| guild.channels.get(&parent));
    let overwrites = &parent.unwrap_or(channel).overwrites;
    bot == guild.owner
        || base & ADMINISTRATOR != 0
        || denied(guild, overwrites, bot, base, MENTION_EVERYONE).is_none()
}

/// Whether `bot` may create channels in `guild` (Discord: "Manage Channels").
pub(super) fn may_make_channels(guild: &Guild, bot: u64) -> bool {
    bot == guild.owner || granted(guild) & (ADMINISTRATOR | MANAGE_CHANNELS) != 0
}

/// The union of the permissions of the bot's roles.
fn granted(guild: &Guild) -> u64 {
    let own = guild.roles.iter().filter(|(id, _)| **id == guild.id || guild.held.contains(id));
    own.fold(0, |sum, (_, role)| sum | role.grants)
}

/// Why `bit` is missing; `None` if it is granted.
fn denied(guild: &Guild, overwrites: &[Overwrite], bot: u64, base: u64, bit: u64) -> Option<Cause> {
    let mut cause = (base & bit == 0).then_some(Cause::NotGranted);
    let mut step = |chosen: &dyn Fn(Whom) -> Option<Cause>| {
        let mine = || overwrites.iter().filter_map(|one| Some((one, chosen(one.whom)?)));
        if mine().any(|(one, _)| one.allow & bit != 0) {
            cause = None;
        } else if let Some((_, why)) = mine().find(|(one, _)| one.deny & bit != 0) {
            cause = Some(why);
        }
    };
    step(&|whom| (whom == Whom::Role(guild.id)).then_some(Cause::Everyone));
    step(&|whom| match whom {
        Whom::Role(id) if id != guild.id && guild.held.contains(&id) => {
            Some(Cause::Role(guild.roles.get(&id).map_or_else(|| id.to_string(), |role| role.name.clone())))
        }
        Whom::Role(_) | Whom::Member(_) => None,
    });
    step(&|whom| (whom == Whom::Member(bot)).then_some(Cause::Bot));
    cause
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::bot::guild::Role;

    const GUILD: u64 = 1;
    const OWNER: u64 = 2;
    const BOT: u64 = 3;
    const NUNCIO: u64 = 10;
    const MUTED: u64 = 11;
    const OTHERS: u64 = 12;
    const VIEW: u64 = 1 << 10;
    const SEND: u64 = 1 << 11;
    const EMBED: u64 = 1 << 14;
    const HISTORY: u64 = 1 << 16;
    const THREADS: u64 = 1 << 38;
    const ALL: u64 = VIEW | SEND | EMBED | HISTORY | THREADS;

    fn guild(everyone: u64, nuncio: u64) -> Guild {
        let role = |name: &str, grants| Role { name: name.to_owned(), grants, mentionable: false };
        Guild {
            id: GUILD,
            name: "Acme NOC".to_owned(),
            owner: OWNER,
            roles: BTreeMap::from([
                (GUILD, role("@everyone", everyone)),
                (NUNCIO, role("nuncio", nuncio)),
                (MUTED, role("muted", 0)),
                (OTHERS, role("others", ADMINISTRATOR)),
            ]),
            held: BTreeSet::from([NUNCIO, MUTED]),
            ..Guild::default()
        }
    }

    fn channel(name: &str, overwrites: Vec<Overwrite>) -> Channel {
        let name = name.to_owned();
        Channel { name, unfit: None, is_locked: false, category: None, thread_of: None, overwrites }
    }

    fn described(guild: &Guild, overwrites: &[(Whom, u64, u64)]) -> String {
        let overwrites = overwrites.iter().map(|(whom, allow, deny)| Overwrite {
            whom: *whom,
            allow: *allow,
            deny: *deny,
        });
        let channel = channel("alerts", overwrites.collect());
        let missing = missing(guild, &channel, BOT);
        missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[rstest::rstest]
    #[case::nothing_changed(ALL, 0, &[], "")]
    #[case::only_its_own_role(0, ALL, &[], "")]
    #[case::nothing_granted(0, 0, &[], "missing View Channel (granted by no role of the bot)")]
    #[case::no_embeds_anywhere(ALL & !EMBED, 0, &[], "missing Embed Links (granted by no role of the bot)")]
    #[case::administrator(0, ADMINISTRATOR, &[(Whom::Role(GUILD), 0, ALL)], "")]
    #[case::private_channel(ALL, 0, &[(Whom::Role(GUILD), 0, VIEW)], "missing View Channel (denied to @everyone)")]
    #[case::private_but_for_the_bot(ALL, 0, &[(Whom::Role(GUILD), 0, VIEW), (Whom::Role(NUNCIO), VIEW, 0)], "")]
    #[case::muted(ALL, 0, &[(Whom::Role(MUTED), 0, EMBED)], "missing Embed Links (denied by role @muted)")]
    #[case::another_role_allows(ALL, 0, &[(Whom::Role(MUTED), 0, EMBED), (Whom::Role(NUNCIO), EMBED, 0)], "")]
    #[case::not_our_role(ALL, 0, &[(Whom::Role(OTHERS), 0, ALL)], "")]
    #[case::the_bot_itself(ALL, 0, &[(Whom::Role(NUNCIO), SEND, 0), (Whom::Member(BOT), 0, SEND)], "missing Send Messages (denied to the bot itself)")]
    #[case::somebody_else(ALL, 0, &[(Whom::Member(OWNER), 0, SEND)], "")]
    #[case::two(ALL, 0, &[(Whom::Role(GUILD), 0, SEND), (Whom::Role(MUTED), 0, HISTORY)],
        "missing Send Messages (denied to @everyone); missing Read Message History (denied by role @muted)")]
    fn what_is_missing_and_who_denies_it(
        #[case] everyone: u64,
        #[case] nuncio: u64,
        #[case] overwrites: &[(Whom, u64, u64)],
        #[case] expected: &str,
    ) {
        assert_eq!(described(&guild(everyone, nuncio), overwrites), expected);
    }

    #[test]
    fn the_owner_lacks_nothing() {
        let mut guild = guild(0, 0);
        guild.owner = BOT;
        assert_eq!(described(&guild, &[(Whom::Role(GUILD), 0, ALL)]), "");
    }

    #[test]
    fn a_thread_goes_by_its_channel() {
        let mut guild = guild(ALL & !SEND, 0);
        let overwrites = vec![Overwrite { whom: Whom::Role(GUILD), allow: 0, deny: THREADS }];
        guild.channels.insert(50, channel("alerts", overwrites));
        let mut thread = Channel { thread_of: Some(50), ..channel("night", Vec::new()) };
        let [missing] = &*missing(&guild, &thread, BOT) else { panic!() };
        assert_eq!(missing.to_string(), "missing Send Messages in Threads (denied to @everyone)");
        assert!(missing.remedy().contains("settings of #alerts"), "{}", missing.remedy());
        // A locked thread is for moderators. Near miss: the bot is one.
        assert_eq!(unfit(&guild, &thread, BOT), None);
        thread.is_locked = true;
        assert!(unfit(&guild, &thread, BOT).unwrap().found.contains("locked"));
        guild.roles.get_mut(&NUNCIO).unwrap().grants = 1 << 34;
        assert_eq!(unfit(&guild, &thread, BOT), None);
    }

    // Control, not tried yet: with every channel taken as not synced, the category is not named.
    #[test]
    fn what_a_category_denies_is_named_there() {
        let mut guild = guild(ALL, 0);
        let deny = |deny| vec![Overwrite { whom: Whom::Role(MUTED), allow: 0, deny }];
        guild.channels.insert(60, channel("Customers", deny(SEND)));
        let mut alerts = Channel { category: Some(60), ..channel("alerts", deny(SEND)) };
        let [synced] = &*missing(&guild, &alerts, BOT) else { panic!() };
        assert_eq!(
            synced.to_string(),
            "missing Send Messages (denied by role @muted, in the category Customers)"
        );
        assert!(synced.remedy().contains("Edit Category"), "{}", synced.remedy());
        // Near miss: a channel that is no longer synced is changed in the channel itself.
        alerts.overwrites = deny(SEND | EMBED);
        for missing in missing(&guild, &alerts, BOT) {
            assert!(!missing.to_string().contains("category"), "{missing}");
            assert!(missing.remedy().contains("Edit Channel"), "{}", missing.remedy());
        }
    }
}
