//! A person's work on the page of Discord webhooks.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `webhook_faults` in `Values::faults` | `a_form_shows_every_fault_at_its_field` |
//! | `flashes.put` in `done` | `a_webhook_is_added_tested_changed_and_removed` |

use crate::console::{Browser, signed_in};
use crate::harness::Harness;
use crate::webhooks::makes_webhook;

const HOME: &str = "/console/discord-webhooks";
const NEW: &str = "/console/discord-webhooks/new";

/// The page of the one webhook that is stored.
async fn only(t: &Harness) -> String {
    let stored = t.store().webhooks().await.unwrap();
    assert_eq!(stored.len(), 1, "{stored:?}");
    format!("{HOME}/{}", stored[0].id)
}

/// Presses the button that leads to `path` on the list, and reads the page after it.
async fn presses(alice: &Browser<'_>, path: &str) -> String {
    let list = alice.opens(HOME).await;
    alice.follows(&alice.submits(&list, path, &[]).await).await.text()
}

#[tokio::test]
async fn a_webhook_is_added_tested_changed_and_removed() {
    let t = Harness::start().await;
    let alice = signed_in(&t).await;
    // An empty list says how to make one.
    let empty = alice.opens(HOME).await;
    for words in ["Edit Channel", "Integrations", "New Webhook", "Copy Webhook URL", "Manage Webhooks"] {
        assert!(empty.text().contains(words), "{}", empty.html);
    }
    // Add by pasting, with all types explained.
    let form = alice.opens(NEW).await;
    for word in [
        "GAME_SERVER",
        "VPS",
        "SYSTEM",
        "BILLING",
        "SECURITY",
        "SUPPORT",
        "CUSTOM",
        "ADMIN",
        "USER",
        "PUBLIC",
    ] {
        assert!(form.html.contains(&format!("value=\"{word}\"")), "{word}");
    }
    let url = makes_webhook(&t, "assets").await;
    let typed = [
        ("address", url.as_str()),
        ("name", "Acme alerts"),
        ("type", "SECURITY"),
        ("scope", "ADMIN"),
        ("do", "test"),
    ];
    let added = alice.follows(&alice.submits(&form, HOME, &typed).await).await;
    assert!(
        added.text().contains("The test arrived at “Acme alerts”: Discord answered 200 after"),
        "{}",
        added.html
    );
    assert!(t.channel("assets").next_message().await.title().contains("Webhook Test"));
    for words in ["Acme alerts", "…/webhooks/", "Errors and alerts", "Your team", "Works", "just now"] {
        assert!(added.text().contains(words), "{words}: {}", added.text());
    }
    let page = only(&t).await;
    // The same address again: the page says which one it is.
    let again = alice.submits(&form, HOME, &typed).await;
    assert_eq!(again.status, 422);
    assert!(again.faults()[0].1.contains("stored already, as “Acme alerts”"), "{:?}", again.faults());
    // Edit.
    let edit = alice.opens(&page).await;
    assert!(edit.html.contains("value=\"SECURITY\" checked"), "{}", edit.html);
    let typed = [
        ("name", "Beta"),
        ("type", "VPS"),
        ("scope", "USER"),
        ("owner", "u-7"),
        ("description", "for the night"),
        ("avatar", "https://icons.example/a.png"),
    ];
    let saved = alice.follows(&alice.submits(&edit, &page, &typed).await).await.text();
    for words in ["“Beta” is saved.", "Nodes", "Customer u-7", "for the night"] {
        assert!(saved.contains(words), "{words}: {saved}");
    }
    let about = t.store().webhooks().await.unwrap().swap_remove(0).about;
    assert_eq!(
        (about.owner.as_str(), about.avatar_url.as_deref()),
        ("u-7", Some("https://icons.example/a.png"))
    );
    // Off and on; a test goes out either way.
    assert!(presses(&alice, &format!("{page}/off")).await.contains("“Beta” is off."));
    assert!(!t.store().webhooks().await.unwrap()[0].about.enabled);
    assert!(presses(&alice, &format!("{page}/test")).await.contains("The test arrived at “Beta”"));
    t.channel("assets").next_message().await;
    assert!(alice.opens(HOME).await.text().contains("Off What comes for it waits."));
    assert!(presses(&alice, &format!("{page}/on")).await.contains("“Beta” is on."));
    // Deleted in Discord: Test says so in Discord's own words, the list what to do.
    let id: u64 = url.rsplit('/').nth(1).unwrap().parse().unwrap();
    assert!(t.discord.delete_webhook(nuncio::sandbox::Snowflake::new(id)));
    let tested = presses(&alice, &format!("{page}/test")).await;
    for words in [
        "The test did not arrive at “Beta”: Discord answered 404 after",
        "Unknown Webhook",
        "replace its address",
    ] {
        assert!(tested.contains(words), "{words}: {tested}");
    }
    // A dead address is refused, another one replaces it, and neither is shown.
    let edit = alice.opens(&page).await;
    let refused = alice.submits(&edit, &format!("{page}/address"), &[("address", &url)]).await;
    assert_eq!((refused.status, refused.faults()[0].0.as_str()), (422, "address"), "{}", refused.html);
    let other = makes_webhook(&t, "machines").await;
    let replaced =
        alice.follows(&alice.submits(&edit, &format!("{page}/address"), &[("address", &other)]).await).await;
    assert!(replaced.text().contains("“Beta” has a new address."), "{}", replaced.html);
    assert!(presses(&alice, &format!("{page}/test")).await.contains("The test arrived at “Beta”"));
    t.channel("machines").next_message().await;
    for html in [&refused.html, &replaced.html, &alice.opens(&page).await.html] {
        assert!(![&url, &other].iter().any(|url| html.contains(url.rsplit('/').next().unwrap())));
    }
    // Remove, after the question.
    let asked = alice.opens(&format!("{page}/remove")).await;
    assert!(asked.text().contains("Remove “Beta”?"), "{}", asked.html);
    let removed = alice.follows(&alice.submits(&asked, &format!("{page}/remove"), &[]).await).await;
    assert!(removed.text().contains("“Beta” is removed"), "{}", removed.html);
    assert!(removed.text().contains("No webhook yet"), "{}", removed.html);
    assert_eq!(alice.gets(&page).await.status, 404);
    // What happened is said once, and recorded with who did it.
    assert!(!alice.opens(HOME).await.text().contains("is removed"));
    let audited = t.store().audited(30).await.unwrap();
    for action in ["add", "change", "test", "replace", "remove"] {
        let action = format!("discord-webhook.{action}");
        let found = audited.iter().find(|row| row.action == action);
        assert_eq!(
            found.map(|row| row.actor_name.as_str()),
            Some("alice (console)"),
            "{action}: {audited:#?}"
        );
    }
    t.finish().await;
}

#[tokio::test]
async fn a_form_shows_every_fault_at_its_field() {
    let t = Harness::start().await;
    let alice = signed_in(&t).await;
    let form = alice.opens(NEW).await;
    let typed = [
        ("address", "https://discord.com.evil.example/api/webhooks/1/2"),
        ("name", ""),
        ("scope", "USER"),
        ("avatar", "javascript:alert(1)"),
        ("description", "the night shift"),
    ];
    let page = alice.submits(&form, HOME, &typed).await;
    assert_eq!(page.status, 422);
    let fields: Vec<String> = page.faults().into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["address", "name", "", "owner", "avatar"], "{:?}", page.faults());
    assert!(page.text().contains("Choose what this webhook receives."));
    // What was right stays, and each input names its fault.
    assert!(page.html.contains("value=\"the night shift\"") && page.html.contains("value=\"USER\" checked"));
    for field in ["address", "name", "owner", "avatar"] {
        let named = format!("aria-describedby=\"{field}-help {field}-fault\"");
        assert!(page.html.contains(&named), "{field}: {}", page.html);
    }
    assert!(t.store().webhooks().await.unwrap().is_empty());
    // An address that Discord does not know, in Discord's words.
    let url = makes_webhook(&t, "assets").await;
    let id: u64 = url.rsplit('/').nth(1).unwrap().parse().unwrap();
    t.discord.delete_webhook(nuncio::sandbox::Snowflake::new(id));
    let typed = [("address", url.as_str()), ("name", "Acme"), ("type", "VPS"), ("scope", "ADMIN")];
    let page = alice.submits(&form, HOME, &typed).await;
    assert!(page.faults()[0].1.contains("10015"), "{:?}", page.faults());
    t.finish().await;
}

/// Every input has a label, every link and every form leads to something.
#[tokio::test]
async fn every_link_leads_somewhere_and_every_input_has_a_label() {
    let t = Harness::start().await;
    let alice = signed_in(&t).await;
    let form = alice.opens(NEW).await;
    let url = makes_webhook(&t, "assets").await;
    let typed = [("address", url.as_str()), ("name", "Acme"), ("type", "VPS"), ("scope", "ADMIN")];
    alice.follows(&alice.submits(&form, HOME, &typed).await).await;
    let page = only(&t).await;
    let mut waiting = vec!["/console".to_owned()];
    let mut seen = std::collections::BTreeSet::new();
    let links = regex::Regex::new(r#"(?:href|src)="([^"]+)""#).unwrap();
    let actions = regex::Regex::new(r#"<form[^>]*method="post" action="([^"]+)""#).unwrap();
    let inputs = regex::Regex::new(r#"<input id="([^"]+)""#).unwrap();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = alice.gets(&path).await;
        if answer.status == 303 {
            waiting.push(answer.header("location").to_owned());
            continue;
        }
        assert_eq!(answer.status, 200, "{path}");
        waiting.extend(links.captures_iter(&answer.html).map(|link| link[1].to_owned()));
        let routes = nuncio::console::routes();
        assert_eq!(
            actions.captures_iter(&answer.html).count(),
            answer.html.matches("<form").count(),
            "{path}"
        );
        for action in actions.captures_iter(&answer.html) {
            let known = |path: &str| action[1].replace(page.rsplit('/').next().unwrap(), "{id}") == *path;
            assert!(routes.iter().any(|route| route.method == "POST" && known(route.path)), "{}", &action[1]);
        }
        for input in inputs.captures_iter(&answer.html) {
            assert!(answer.html.contains(&format!("<label for=\"{}\">", &input[1])), "{path}: {}", &input[1]);
        }
        assert_eq!(answer.html.matches("<h1>").count(), usize::from(!path.contains("/assets/")), "{path}");
    }
    let pages = [HOME, NEW, page.as_str(), &format!("{page}/remove")];
    assert!(pages.iter().all(|page| seen.contains(*page)), "{seen:?}");
    assert!(!seen.iter().any(|path| path.starts_with("http")), "{seen:?}");
    t.finish().await;
}
