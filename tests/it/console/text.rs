//! Text from outside, in every place where a page shows it.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the escaping of a template (`escape = "none"` in its attribute) | `no_text_becomes_markup` |
//! | the empty value of a field that holds an address (`TextField` in `Form::new`) | `a_pasted_address_never_comes_back` |

use std::sync::LazyLock;

use nuncio::model::{NewWebhook, Scope};
use nuncio::sandbox::discord::Fault;
use regex::Regex;

use crate::console::{Browser, signed_in};
use crate::harness::{Harness, by};
use crate::webhooks::{parsed, url};

/// W-1. Each has at most 80 characters, as a name has.
const PAYLOADS: &[&str] = &[
    "<script>alert(1)</script>",
    "</td></tr></table><script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "\" autofocus onfocus=\"alert(1)",
    "<svg onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "</title><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "javascript:alert(1)",
    "<a href=javascript:alert(1)>x</a>",
    "<form action=https://evil.example><button>x",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<base href=https://evil.example/>",
    "<style>*{background:url(//evil.example)}</style>",
    "{{ 7 * 7 }} {% include \"x\" %} ${7*7} <%= 7 %>",
    "</textarea><script>alert(1)</script>",
    "<img/src=`x`onerror=alert`1`>",
    "<ſcript>alert(1)</ſcript> ＜script＞",
    "@everyone <@&1> [x](javascript:alert(1))",
    "=cmd|' /C calc'!A0",
    "\\\"><script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</script>",
    "x\" style=\"position:fixed;inset:0",
    "<details open ontoggle=alert(1)>",
];

/// The tags of a page with the names of their attributes, but not their values.
fn markup(html: &str) -> Vec<String> {
    let tag = Regex::new(r"<[^>]*>").unwrap();
    let value = Regex::new(r#"="[^"]*""#).unwrap();
    tag.find_iter(html).map(|tag| value.replace_all(tag.as_str(), "=…").into_owned()).collect()
}

/// The markup of every page that shows the webhook whose texts are `text`.
async fn shown(t: &Harness, alice: &Browser<'_>, url: &str, text: &str) -> Vec<Vec<String>> {
    let about = NewWebhook {
        scope: Scope::User,
        owner: text.to_owned(),
        description: text.to_owned(),
        company: text.to_owned(),
        ..NewWebhook::named(text)
    };
    let stored = t.hub().add_webhook(about, &parsed(t, url), None, None, &by("alice")).await.unwrap();
    let id = stored.done().unwrap().id;
    let page = format!("/console/discord-webhooks/{id}");
    let mut pages = Vec::new();
    // Discord's own words, in what was answered and in the state.
    let body = serde_json::json!({"message": text, "code": 50_035}).to_string();
    let fault = Fault::Status { status: 400, headers: Vec::new(), body };
    t.discord.faults().next_on("POST /api/v10/webhooks/", 1, fault);
    let list = alice.opens("/console/discord-webhooks").await;
    let tested = alice.submits(&list, &format!("{page}/test"), &[]).await;
    pages.push(alice.follows(&tested).await.html);
    pages.push(list.html);
    pages.push(alice.opens(&page).await.html);
    pages.push(alice.opens(&format!("{page}/remove")).await.html);
    // What was typed comes back with its faults.
    let form = alice.opens("/console/discord-webhooks/new").await;
    let typed = [
        ("name", text),
        ("owner", text),
        ("description", text),
        ("avatar", text),
        ("type", text),
        ("scope", text),
        ("address", text),
    ];
    pages.push(alice.submits(&form, "/console/discord-webhooks", &typed).await.html);
    t.hub().remove_webhook(id, &by("alice")).await.unwrap();
    for html in &pages {
        assert!(!text.contains('<') || !html.contains(text), "{text} is markup in {html}");
    }
    pages.iter().map(|html| markup(html)).collect()
}

// W-1: the pages have the same tags and attributes, whatever the text is.
#[tokio::test]
async fn no_text_becomes_markup() {
    let t = Harness::start().await;
    let alice = signed_in(&t).await;
    let url = url(&t);
    let plain = shown(&t, &alice, &url, "Acme").await;
    assert!(plain.iter().all(|page| page.len() > 20), "{plain:?}");
    for payload in PAYLOADS {
        let hostile = shown(&t, &alice, &url, payload).await;
        assert_eq!(hostile, plain, "{payload}");
    }
    let nobody = Browser::new(&t);
    let plain = markup(&nobody.opens("/console/link/x?next=y").await.html);
    for link in ["%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%3Csvg%20onload=alert(1)%3E"] {
        assert_eq!(markup(&nobody.opens(&format!("/console/link/{link}?next={link}")).await.html), plain);
    }
    t.finish().await;
}

// A-2: an address is taken, and no page shows it again: not in its own field, and not in one where it does not belong.
#[tokio::test]
async fn a_pasted_address_never_comes_back() {
    let t = Harness::start().await;
    let alice = signed_in(&t).await;
    let url = url(&t);
    let token = url.rsplit('/').next().unwrap();
    let form = alice.opens("/console/discord-webhooks/new").await;
    for misplaced in ["name", "owner", "description", "avatar", "type", "scope", "do", "link"] {
        let page =
            alice.submits(&form, "/console/discord-webhooks", &[("address", &url), (misplaced, &url)]).await;
        assert_eq!(page.status, 422, "{misplaced}");
        assert!(!page.html.contains(token), "{misplaced}: {}", page.html);
    }
    assert!(t.store().webhooks().await.unwrap().is_empty());
    t.finish().await;
}

/// The templates can only show text, and hold no script and no style of their own.
#[test]
fn templates_escape_and_hold_nothing_inline() {
    static INLINE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)\|\s*safe|escape|<script|<style|\sstyle=|\son[a-z]+=|javascript:|https?://"#)
            .unwrap()
    });
    fn check(folder: &std::path::Path, found: &mut usize) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                check(&path, found);
                continue;
            }
            *found += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let inline = &*INLINE;
            assert!(inline.find(&text).is_none(), "{}: {:?}", path.display(), inline.find(&text));
            assert!(path.extension().is_some_and(|extension| extension == "html"), "{}", path.display());
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = 0;
    check(&root.join("templates"), &mut found);
    assert!(found >= 6, "{found}");
    for source in [
        "page.rs",
        "sign_in.rs",
        "discord_webhooks/form.rs",
        "discord_webhooks/list.rs",
        "discord_webhooks/remove.rs",
    ] {
        let text = std::fs::read_to_string(root.join("src/console").join(source)).unwrap();
        assert!(!text.contains("escape ="), "{source}");
    }
}
