//! `nuncio setup`, as a person meets it: the real program in an empty folder, at a terminal or with everything given
//! beforehand, against the sandbox Discord and the sandbox XTSystems.
//!
//! | protection | what was taken away | what failed then |
//! | --- | --- | --- |
//! | whoever stops changed nothing | `Stop::Aborted` after "Do it?"; the file written before it | `whoever_stops_at_any_question…` |
//! | a channel is made only when all is agreed to | `make_channels` before "Do it?" | `a_new_channel_is_made…` |
//! | `.env` is for its owner alone | `0o600` in `EnvFile::replace` | `everything_given_beforehand…` |
//! | what else is in the map stays | `read(MAP)` in `channels::ask` | `everything_else_in_the_file…` |
//! | no secret is shown while it is typed | `Masked` | `a_stranger_answers…` |
//! | `--yes` invents nothing | `missing` for secrets, for choices | `what_was_not_given…` |
//! | `--yes` accepts nothing wrong | `Stop::Wrong` | `what_is_wrong…` |
//! | the bot asks for the least | `INVITED_WITH` | `a_bot_in_no_server…` |
//! | a webhook is registered once | `registration` in `register` | `a_webhook_that_sends_elsewhere…` |
//! | it is moved only after that was said | `now_elsewhere` | the same |
//! | a good secret stays, the one before is accepted | `door::secret` | `everything_given…`, `a_new_secret…` |
//! | a nuncio of another configuration gets no test | `configuration_of` | `a_nuncio_that_runs_already…` |
//! | another's change of `.env` wins | the comparison with `before` | `a_file_that_somebody_changed…` |
//! | what stays at Discord is named | `made` | the same |
//! | `.env` keeps its owner, a link stays, a reader sees a whole file | `fchown`, `canonicalize`, `persist` | `the_file_behind_a_link…` |
//! | what wins over `.env` is said | `written` | `where_the_environment…` |
//! | what is there is looked at again | `channels::check`, `roles::is_well`, the guild in `server::choose` | `what_is_there…` |
//! | of several servers none is guessed | `[server]` in `server::choose` | `of_several_servers…` |
//! | no role of a bot, nor @everyone, lets people in | `Servers::roles` | `what_is_wrong…` |
//! | what did not arrive is no success | the looks at `Delivered`, at no delivery, at `report.success` | `a_test_that_does_not…` |
//! | the test is marked as one | `MARK` | `everything_given…` |
//! | a taken port, an address out of reach | `port_of_any`, `can_reach` | `a_port_that…`, `xtsystems_elsewhere…` |
//! | the map is checked as a whole | `Config::check` | `what_is_wrong…` |
//! | no secret in the change that is shown | `HIDDEN` in `edit` with `without_secrets`: either is enough | `everything_given…` |
//! | no secret in what others repeat | `without_secrets` | `what_others_repeat…` |
//! | nothing is sent with `--no-test` | the look at it | `a_set_interactions_endpoint…` |
//! | a registration is in the audit log | `audit` | `everything_given…` |

mod again;
mod ingress;
mod resume;
mod rig;
mod servers;
mod terminal;

use std::os::unix::fs::PermissionsExt as _;

use nuncio::demo::PlatformFault;
use nuncio::sandbox::discord::{Fault, Permission};
use regex::Regex;
use serde_json::json;

use crate::setup::rig::Rig;

#[tokio::test]
async fn everything_given_beforehand_ends_with_a_card_in_the_channel() {
    let rig = Rig::set().await;
    let (code, text) = rig.runs(&rig.flags(&[]), &rig.secrets()).await;
    assert_eq!(code, 0, "{text}");
    let saw = Regex::new(r"saw it in #alerts after \d+ ms\.").unwrap();
    assert!(saw.is_match(&text) && text.contains("Everything works."), "{text}");
    let alerts = rig.discord.messages(rig.discord.channel_id("alerts").unwrap());
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let told = rig.platform.recorded_requests();
    assert!(told.iter().any(|told| told.method == "POST" && told.path == "/v1/webhooks"), "{told:?}");
    // XTSystems signed its own test with the new secret, and it was taken.
    assert!(text.contains("XTSystems reaches nuncio"), "{text}");
    let general = rig.discord.messages(rig.discord.channel_id("general").unwrap());
    assert_eq!(general.len(), 1, "{general:?}");

    // Whoever reads the card knows that nothing has happened.
    assert!(alerts[0].to_string().contains(" · sample · "), "{alerts:?}");
    let (_, audit) = rig.runs(&["audit"], "").await;
    assert!(audit.contains("register-webhook"), "{audit}");

    assert!(text.contains("nuncio.key was made"), "{text}");
    let env = rig.dotenv().unwrap();
    let mode = std::fs::metadata(rig.path(".env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let map = json!({
        "alert.*": [rig.discord.channel_id("alerts").unwrap().to_string()],
        "default": [rig.discord.channel_id("general").unwrap().to_string()],
    });
    assert!(env.contains(&format!("DISCORD_WEBHOOK_CHANNELS='{map}'\n")), "{env}");
    assert!(env.contains(&format!("DISCORD_GUILD_ID={}\n", rig.discord.guild_id())), "{env}");
    assert!(
        env.contains(&format!("APPROVER_ROLES={}\n", rig.discord.role_id("Approvers").unwrap())),
        "{env}"
    );
    // Nobody was asked for it: noted as left out, so that it is not asked for again.
    assert!(env.contains("\nOPERATOR_ROLES=\n") && env.contains("\nPUBLIC_URL=\n"), "{env}");

    // Run again, nothing is missing.
    let (code, text) = rig.runs(&["setup", "--yes"], "").await;
    assert_eq!(code, 0, "{text}");
    for kept in
        ["keep: XTSystems", "keep: Discord takes the token", "keep: alerts → #alerts", "keep: @Approvers may"]
    {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    assert!(text.contains("nothing to change") && saw.is_match(&text), "{text}");
    assert_eq!(rig.dotenv().unwrap(), env);
    // Of the key that was made, a copy is to be kept; said once.
    assert!(!text.contains("nuncio.key"), "{text}");
}

#[tokio::test]
async fn what_was_not_given_is_named_with_what_gives_it() {
    let rig = Rig::set().await;
    for (args, input, named) in [
        (&[][..], "", "--no-xtsystems"),
        (&["--no-xtsystems"], "", "DISCORD_TOKEN in the environment, in .env or with --secrets-from-stdin"),
        (&["--no-xtsystems", "--secrets-from-stdin"], "token", "--channel default=ID"),
    ] {
        let input = if input.is_empty() { String::new() } else { rig.secrets() };
        let (code, text) = rig.runs(&[&["setup", "--yes"], args].concat(), &input).await;
        assert!(
            code == 2 && text.contains(named) && text.contains("Nothing was written"),
            "{args:?}: {text}"
        );
    }
    let (code, text) = rig.runs(&["setup"], "").await;
    assert!(code == 2 && text.contains("--yes") && text.contains("terminal"), "{text}");
    let (code, text) = rig.runs(&["setup", "--yes", "--secrets-from-stdin"], "nothing").await;
    assert!(code == 2 && text.contains("DISCORD_TOKEN=…"), "{text}");
    // Everybody on a machine sees the arguments of its programs: none of them is a secret.
    for flag in ["--discord-token", "--token", "--xtsystems-api-key", "--webhook-secret"] {
        let (code, text) = rig.runs(&["setup", "--yes", flag, "x"], "").await;
        assert!(code == 2 && text.contains("unexpected argument"), "{flag}: {text}");
    }
    rig.is_untouched();
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_remedy_and_nothing_is_written() {
    let rig = Rig::set().await;
    let alerts = rig.discord.channel_id("alerts").unwrap();
    rig.discord.deny(alerts, Permission::EmbedLinks);
    let token = rig.token();
    let other = token.replace(|letter: char| letter.is_ascii_lowercase(), "x");
    let good = rig.secrets();
    let everyone = rig.discord.guild_id().to_string();
    for (more, input, found, remedy) in [
        (&[][..], good.replace(rig::KEY, "another-key"), "refuses XTSYSTEMS_API_KEY", "Make a key"),
        (&["--xtsystems-url", "http://127.0.0.1:9"], good.clone(), "cannot be reached", "whether it runs"),
        (&[], good.replace(&token, &other), "refuses DISCORD_TOKEN", "Reset Token"),
        (&[], good.replace(&token, &format!("Bot {token}")), "begins with \"Bot \"", "the token alone"),
        (&[], good.replace(&token, &format!("{token} x")), "holds a space", "Copy it anew"),
        (&["--guild", "Elsewhere"], good.clone(), "names Elsewhere", "Acme NOC"),
        (&["--channel", "assets=nowhere"], good.clone(), "no channel of that name", "tickets, machines"),
        (&["--channel", "assets=1200000000000000009"], good.clone(), "is not there", "Copy the channel's id"),
        (&["--channel", "assets=ideas"], good.clone(), "no channel of that name", "tickets, machines"),
        (&["--channel", "asset. *=general"], good.clone(), "With --channel, DISCORD_WEBHOOK_CHANNELS", ""),
        (&["--approver-role", "@everyone"], good.clone(), "would let nobody in", "Approvers"),
        (&["--approver-role", &everyone], good.clone(), "would let nobody in", "Approvers"),
        // Discord's own role of the bot.
        (&["--approver-role", "nuncio"], good.clone(), "has no such role for people", "Approvers"),
        (&["--public-url", "nuncio.example"], good.clone(), "is not a web address", "https://nuncio.example"),
        (&[], good.clone(), "#alerts: missing Embed Links", "allow Embed Links"),
    ] {
        // The channel is looked at before roles and addresses.
        match found.contains("Embed Links") {
            true => rig.discord.deny(alerts, Permission::EmbedLinks),
            false => rig.discord.allow(alerts, Permission::EmbedLinks),
        }
        let mut flags = rig.flags(&[]);
        if more.first() == Some(&"--xtsystems-url") {
            flags.retain(|flag| *flag != "--xtsystems-url" && *flag != rig.xtsystems);
        }
        let (code, text) = rig.runs(&[&flags, more].concat(), &input).await;
        assert_eq!(code, 1, "{found}: {text}");
        assert!(text.contains(found) && text.contains(remedy), "{found}: {text}");
        assert!(text.contains("Nothing was written"), "{found}: {text}");
    }
    rig.is_untouched();
}

#[tokio::test]
async fn what_others_repeat_of_a_secret_is_not_shown() {
    let rig = Rig::set().await;
    let detail = json!({"detail": format!("no such key: {}", rig::KEY)});
    rig.platform.fails_next("GET /v1/webhooks", 1, PlatformFault::Status(403, detail));
    let (code, text) = rig.runs(&rig.flags(&[]), &rig.secrets()).await;
    assert!(code == 1 && text.contains("no such key: ***"), "{text}");
    let body = format!("you sent {}", rig.token());
    rig.discord.faults().next_on("/users/@me", 1, Fault::Status { status: 502, headers: Vec::new(), body });
    let (code, text) = rig.runs(&rig.flags(&[]), &rig.secrets()).await;
    assert!(code == 1 && text.contains("you sent ••••"), "{text}");
}

#[tokio::test]
async fn everything_else_in_the_file_stays_as_it_was() {
    let rig = Rig::set().await;
    let before = format!(
        "# Acme's nuncio\r\nexport DISCORD_TOKEN = \"{}\" # from the vault\r\n\r\nTHEIRS='of another program'\r\n\
         LOG_DIR='my logs'\r\n#WEBHOOK_PORT=3000\r\nXTSYSTEMS_API_KEY=your_xtsystems_api_key_here\r\n\
         DISCORD_WEBHOOK_CHANNELS={{\"ticket.*@ACME\":{{\"channels\":[\"{}\"],\"ping\":[]}},\"default\":[\"{}\"]}}\r\n",
        rig.token(),
        rig.discord.channel_id("tickets").unwrap(),
        rig.discord.channel_id("general").unwrap(),
    );
    rig.write(&before);
    let args = [
        "setup",
        "--yes",
        "--no-xtsystems",
        "--port",
        &rig.port,
        "--channel",
        "machines=machines",
        "--no-test",
    ];
    let (code, text) = rig.runs(&args, "").await;
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("  - XTSYSTEMS_API_KEY=••••\n") || text.contains("+ XTSYSTEMS_API_KEY=\n"),
        "{text}"
    );
    let after = rig.dotenv().unwrap();
    let lines: Vec<&str> = after.split("\r\n").collect();
    assert!(!after.replace("\r\n", "").contains('\n'), "{after:?}");
    let old: Vec<&str> = before.split("\r\n").collect();
    assert_eq!(lines[..6], old[..6], "{after}");
    assert_eq!(lines[6], format!("WEBHOOK_PORT={}", rig.port), "{after}");
    assert_eq!(lines[7], "XTSYSTEMS_API_KEY=", "{after}");
    let map = lines[8];
    assert!(map.starts_with("DISCORD_WEBHOOK_CHANNELS='{\"ticket.*@ACME\":{\"channels\":"), "{after}");
    assert!(map.contains("\"ping\":[]") && map.contains("machine.*"), "{after}");
    assert!(!rig.files().iter().any(|name| name.starts_with(".env-")), "{:?}", rig.files());
}

#[tokio::test]
async fn a_variable_that_is_not_asked_for_and_wrong_ends_it_before_any_question() {
    let rig = Rig::set().await;
    rig.write("RETENTION_DAYS=never\nWEBHOOK_SECRET=short\n");
    let (code, text) = rig.runs(&rig.flags(&[]), &rig.secrets()).await;
    assert!(code == 78 && text.contains("RETENTION_DAYS (.env line 1)"), "{text}");
    assert!(!text.contains("WEBHOOK_SECRET"), "{text}");
    assert_eq!(rig.dotenv().unwrap(), "RETENTION_DAYS=never\nWEBHOOK_SECRET=short\n");
    // One that is made anew does not.
    rig.write("WEBHOOK_SECRET=short\n");
    let (code, text) = rig.runs(&rig.flags(&["--no-test"]), &rig.secrets()).await;
    assert!(code == 0 && text.contains("WEBHOOK_SECRET (.env line 1) is shorter"), "{text}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said_before_anything_is_asked() {
    let mut rig = Rig::set().await;
    rig.belongs_to_nobody();
    rig.is_open(false);
    let (code, text) = rig.runs(&rig.flags(&[]), &rig.secrets()).await;
    assert!(
        code == 1 && text.contains("cannot be written by this user") && text.contains("chmod u+rwx"),
        "{text}"
    );
    assert!(rig.discord.requests().is_empty() && rig.dotenv().is_none());
}

#[tokio::test]
async fn a_bot_in_no_server_gets_its_invite_link() {
    let rig = Rig::set().await;
    rig.discord.kick_bot();
    let (code, text) = rig.runs(&rig.flags(&[]), &rig.secrets()).await;
    let link = format!(
        "https://discord.com/oauth2/authorize?client_id={}&scope=bot+applications.commands&permissions=84992",
        rig.discord.application_id()
    );
    assert!(code == 1 && text.contains(&link), "{text}");
    rig.is_untouched();
}

#[tokio::test]
async fn a_set_interactions_endpoint_is_said_with_what_it_means() {
    let rig = Rig::set().await;
    let body = json!({
        "id": rig.discord.application_id(), "bot_public": false, "interactions_endpoint_url": "https://old.example/x"
    });
    let fault = Fault::Status { status: 200, headers: Vec::new(), body: body.to_string() };
    rig.discord.faults().next_on("/applications/@me", 1, fault);
    let (code, text) = rig.runs(&rig.flags(&["--no-test", "--no-register"]), &rig.secrets()).await;
    assert!(
        code == 0 && text.contains("Attention: The application has an Interactions Endpoint URL"),
        "{text}"
    );
    assert!(rig.platform.recorded_requests().is_empty());
    assert!(rig.discord.requests().iter().all(|asked| asked.method == "GET"), "no test was sent");
}

#[tokio::test]
async fn a_new_secret_leaves_the_one_before_accepted() {
    let rig = Rig::set().await;
    rig.write("WEBHOOK_SECRET=0123456789abcdef0123\n");
    let (code, text) = rig.runs(&rig.flags(&["--new-secret"]), &rig.secrets()).await;
    assert_eq!(code, 0, "{text}");
    let env = rig.dotenv().unwrap();
    assert!(env.contains("WEBHOOK_SECRET_PREVIOUS=0123456789abcdef0123\n"), "{env}");
    assert!(
        !env.contains("WEBHOOK_SECRET=0123456789abcdef0123\n") && !text.contains("0123456789abcdef"),
        "{env}"
    );
}

#[tokio::test]
async fn where_the_environment_says_something_else_that_is_said() {
    let rig = Rig::set().await;
    rig.write("WEBHOOK_PORT=1\n");
    let flags = rig.flags(&["--no-test"]);
    let (code, text) = rig.runs(&flags, &rig.secrets()).await;
    // DISCORD_API_URL comes from the environment and is written down, because that is where everything was looked up.
    assert!(code == 0 && rig.dotenv().unwrap().contains("DISCORD_API_URL=http"), "{text}");
    let mut rig = Rig::set().await;
    rig.sets("WEBHOOK_PORT", "1");
    let (code, text) = rig.runs(&rig.flags(&["--no-test"]), &rig.secrets()).await;
    let said = "Attention: WEBHOOK_PORT is set to something else in the environment, which wins over .env";
    assert!(code == 1 && text.contains(said), "{text}");
    assert!(rig.dotenv().unwrap().contains(&format!("WEBHOOK_PORT={}\n", rig.port)));
}

#[tokio::test]
async fn what_is_there_is_looked_at_again() {
    let rig = Rig::set().await;
    let (code, text) = rig.runs(&rig.flags(&["--no-test"]), &rig.secrets()).await;
    assert_eq!(code, 0, "{text}");
    let good = rig.dotenv().unwrap();
    let alerts = rig.discord.channel_id("alerts").unwrap();
    let (guild, role) = (rig.discord.guild_id(), rig.discord.role_id("Approvers").unwrap());
    let nobodys = "1200000000000000009";
    for (file, is_denied, found) in [
        (good.clone(), true, "missing Embed Links".to_owned()),
        (
            good.replace(&format!("GUILD_ID={guild}"), &format!("GUILD_ID={nobodys}")),
            false,
            format!("DISCORD_GUILD_ID names {nobodys}"),
        ),
        (
            good.replace(&format!("ROLES={role}"), &format!("ROLES={nobodys}")),
            false,
            format!("APPROVER_ROLES names the role {nobodys}"),
        ),
    ] {
        match is_denied {
            true => rig.discord.deny(alerts, Permission::EmbedLinks),
            false => rig.discord.allow(alerts, Permission::EmbedLinks),
        }
        rig.write(&file);
        let (code, text) = rig.runs(&["setup", "--yes", "--no-test"], "").await;
        assert!(
            code == 1 && text.contains(&found) && text.contains("Nothing was written"),
            "{found}: {text}"
        );
        assert_eq!(rig.dotenv().unwrap(), file);
    }
}

#[tokio::test]
async fn of_several_servers_the_persons_own_has_to_be_named() {
    let rig = Rig::set().await;
    rig.discord.invite("Elsewhere", "alice", "lobby").unwrap();
    let (code, text) = rig.runs(&rig.flags(&[]), &rig.secrets()).await;
    assert!(code == 2 && text.contains("Give --guild ID"), "{text}");
    rig.is_untouched();
    let named = ["--guild", "Acme NOC", "--no-test"];
    let (code, text) = rig.runs(&rig.flags(&named), &rig.secrets()).await;
    assert_eq!(code, 0, "{text}");
    assert!(rig.dotenv().unwrap().contains(&format!("DISCORD_GUILD_ID={}\n", rig.discord.guild_id())));
}

// root may set up for the user that nuncio runs as, and a link may lead to where secrets are kept.
#[tokio::test]
async fn the_file_behind_a_link_is_replaced_whole_and_stays_its_owners() {
    use std::io::Read as _;
    use std::os::unix::fs::MetadataExt as _;
    let rig = Rig::set().await;
    std::fs::create_dir(rig.path("vault")).unwrap();
    std::fs::write(rig.path("vault/env"), "LOG_DIR=logs\n").unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(rig.path("vault/env"), Some(rig::NOBODY), Some(rig::NOBODY)).unwrap();
    }
    let owner = std::fs::metadata(rig.path("vault/env")).unwrap().uid();
    std::os::unix::fs::symlink("vault/env", rig.path(".env")).unwrap();
    let mut reader = std::fs::File::open(rig.path(".env")).unwrap();
    let (code, text) = rig.runs(&rig.flags(&["--no-test", "--no-register"]), &rig.secrets()).await;
    assert_eq!(code, 0, "{text}");
    assert!(std::fs::symlink_metadata(rig.path(".env")).unwrap().is_symlink());
    let after = std::fs::metadata(rig.path("vault/env")).unwrap();
    assert_eq!((after.uid(), after.permissions().mode() & 0o777), (owner, 0o600));
    assert!(rig.dotenv().unwrap().starts_with("LOG_DIR=logs\nDISCORD_TOKEN="));
    // Whoever was reading has read the old one, whole.
    let mut read = String::new();
    reader.read_to_string(&mut read).unwrap();
    assert_eq!(read, "LOG_DIR=logs\n");
}
