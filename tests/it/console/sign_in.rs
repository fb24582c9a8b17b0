//! Getting in, and out again.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the exchange in the POST (made in `sign_in::ask` instead) | `a_link_opens_the_console_once` |
//! | `expires_at > $2` in `Exchange` | `a_link_is_valid_for_ten_minutes` |
//! | the `DELETE` of the session before in `Exchange` | `each_sign_in_has_a_new_session` |
//! | `DELETE FROM console_sessions` in `End` (the cookies are unset all the same) | `who_signs_out_is_out_whatever_cookie_comes_back` |
//! | `is_over` in `Hub::console_session` | `a_session_ends_by_itself` |
//! | `Secure` in `cookie::set` | `the_cookie_is_out_of_reach_of_others` |

use std::time::Duration;

use crate::console::browser::{Browser, link, signed_in};
use crate::harness::Harness;

const HOME: &str = "/console/discord-webhooks";
const HOUR: Duration = Duration::from_secs(3600);

// W-6: no password exists; what `nuncio console` prints opens the console once, and only by the button.
#[tokio::test]
async fn a_link_opens_the_console_once() {
    let mut t = Harness::start().await;
    t.set("USER", "alice");
    let ran = t.runs(&["console"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("within 10 minutes"), "{}", ran.stderr);
    let link = ran.stdout.trim().strip_prefix("http://localhost:3000").unwrap().to_owned();
    // A chat's preview, a scanner, a second look: none of them uses the link up.
    let scanner = Browser::new(&t);
    for _ in 0..3 {
        let page = scanner.opens(&link).await;
        assert!(page.cookies().is_empty() && page.text().contains("Sign in"), "{}", page.html);
    }
    let alice = Browser::new(&t);
    let page = alice.opens(&link).await;
    let home = alice.follows(&alice.submits(&page, "/console/link", &[]).await).await;
    assert!(home.text().contains("alice (console)"), "{}", home.html);
    let again = scanner.submits(&page, "/console/link", &[]).await;
    assert_eq!((again.status, again.cookies().len()), (403, 0), "{}", again.html);
    assert_eq!(scanner.gets(HOME).await.status, 401);
    let audited: Vec<_> = t.store().audited(2).await.unwrap();
    let actions: Vec<_> = audited.iter().map(|row| (row.action.as_str(), row.actor_name.as_str())).collect();
    assert_eq!(actions, [("console.sign-in", "alice (console)"), ("console.link", "alice (command line)")]);
    // Neither the link nor the cookie is in the database or in the log.
    let secrets = [link.rsplit('/').next().unwrap().to_owned(), {
        let cookie = alice.cookie.borrow().clone().unwrap();
        cookie.split_once('=').unwrap().1.to_owned()
    }];
    for file in ["nuncio.db", "nuncio.db-wal"] {
        let bytes = std::fs::read(t.folder().join(file)).unwrap();
        let found = |secret: &String| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!secrets.iter().any(found), "{file}");
    }
    assert!(!t.log.all().iter().any(|line| secrets.iter().any(|secret| line.contains(secret))));
    t.finish().await;
}

#[tokio::test]
async fn without_a_running_server_the_command_says_what_to_do() {
    let mut t = Harness::start().await;
    t.stop().await;
    let ran = t.runs(&["console"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("Start it (nuncio serve"), "{}", ran.stderr);
    t.boot().await;
    t.set("ADMIN_LISTEN", "127.0.0.1:3002");
    let ran = t.runs(&["console"]).await;
    assert!(ran.stdout.starts_with("http://localhost:3002/console/link/"), "{}{}", ran.stdout, ran.stderr);
    t.unset("ADMIN_LISTEN");
    t.set("PUBLIC_URL", "https://nuncio.example/");
    let ran = t.runs(&["console"]).await;
    assert!(ran.stdout.starts_with("https://nuncio.example/console/link/"), "{}{}", ran.stdout, ran.stderr);
    t.finish().await;
}

#[tokio::test]
async fn a_link_is_valid_for_ten_minutes() {
    let t = Harness::start().await;
    let (first, second) = (link(&t).await, link(&t).await);
    let browser = Browser::new(&t);
    let (first, second) = (browser.opens(&first).await, browser.opens(&second).await);
    t.clock.advance(Duration::from_secs(599));
    assert_eq!(browser.submits(&first, "/console/link", &[]).await.status, 303);
    t.clock.advance(Duration::from_secs(1));
    assert_eq!(browser.submits(&second, "/console/link", &[]).await.status, 403);
    t.finish().await;
}

// W-3
#[tokio::test]
async fn the_cookie_is_out_of_reach_of_others() {
    let mut t = Harness::start().await;
    t.set("TRUSTED_PROXIES", "127.0.0.0/8");
    for (trusted, proto, is_secure) in
        [(false, "http", false), (false, "https", false), (true, "http", false), (true, "https", true)]
    {
        if trusted {
            t.restart().await;
        } else {
            let proxies = t.variable("TRUSTED_PROXIES").to_owned();
            t.unset("TRUSTED_PROXIES");
            t.restart().await;
            t.set("TRUSTED_PROXIES", proxies);
        }
        let mut browser = Browser::new(&t);
        browser.headers = vec![("x-forwarded-proto", proto)];
        let page = browser.opens(&link(&t).await).await;
        let cookies = browser.submits(&page, "/console/link", &[]).await.cookies();
        let [cookie] = cookies.as_slice() else { panic!("{cookies:?}") };
        let parts: Vec<&str> = cookie.split("; ").collect();
        for part in ["Path=/console", "HttpOnly", "SameSite=Strict"] {
            assert!(parts.contains(&part), "{cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
        assert_eq!(parts.contains(&"Secure"), is_secure, "{trusted} {proto}: {cookie}");
        assert_eq!(cookie.starts_with("__Secure-"), is_secure, "{cookie}");
        assert_eq!(browser.gets(HOME).await.status, 200);
    }
    t.finish().await;
}

// W-3: a cookie that somebody else planted is worth nothing after sign-in, nor is the one before.
#[tokio::test]
async fn each_sign_in_has_a_new_session() {
    let t = Harness::start().await;
    let browser = signed_in(&t).await;
    let first = browser.cookie.borrow().clone();
    let page = browser.opens(&link(&t).await).await;
    assert_eq!(browser.submits(&page, "/console/link", &[]).await.status, 303);
    assert_ne!(*browser.cookie.borrow(), first);
    assert_eq!(browser.gets(HOME).await.status, 200);
    let other = Browser::new(&t);
    *other.cookie.borrow_mut() = first;
    assert_eq!(other.gets(HOME).await.status, 401);
    let planted = format!("nuncio_console={}", "0".repeat(64));
    *other.cookie.borrow_mut() = Some(planted.clone());
    let page = other.opens(&link(&t).await).await;
    assert_eq!(other.submits(&page, "/console/link", &[]).await.status, 303);
    assert_ne!(*other.cookie.borrow(), Some(planted));
    t.finish().await;
}

// W-3
#[tokio::test]
async fn who_signs_out_is_out_whatever_cookie_comes_back() {
    let t = Harness::start().await;
    let (one, other, third) = (signed_in(&t).await, signed_in(&t).await, signed_in(&t).await);
    let kept = one.cookie.borrow().clone();
    let page = one.opens(HOME).await;
    let out = one.submits(&page, "/console/sign-out", &[]).await;
    assert_eq!(out.status, 200, "{}", out.html);
    assert!(out.cookies().iter().all(|cookie| cookie.contains("Max-Age=0")), "{:?}", out.cookies());
    *one.cookie.borrow_mut() = kept;
    assert_eq!(one.gets(HOME).await.status, 401);
    // All others of hers, and the link that she has not used.
    let unused = Browser::new(&t);
    let unused_page = unused.opens(&link(&t).await).await;
    let page = other.opens(HOME).await;
    let out = other.submits(&page, "/console/sign-out-everywhere", &[]).await;
    assert!(out.text().contains("2 sessions have ended"), "{}", out.html);
    assert_eq!(third.gets(HOME).await.status, 401);
    assert_eq!(unused.submits(&unused_page, "/console/link", &[]).await.status, 403);
    // Whoever may not reach the browser ends everybody's sessions at the shell.
    let fourth = signed_in(&t).await;
    let ran = t.runs(&["console", "--sign-everybody-out"]).await;
    assert!(ran.stdout.contains("1 session has ended"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(fourth.gets(HOME).await.status, 401);
    t.finish().await;
}

// W-3: after 12 hours without use, and after seven days in any case.
#[tokio::test]
async fn a_session_ends_by_itself() {
    let t = Harness::start().await;
    // The use of a session is recorded soon: this waits for that.
    let uses = async |browser: &Browser<'_>| {
        let status = browser.gets(HOME).await.status;
        link(&t).await;
        status
    };
    let idle = signed_in(&t).await;
    t.clock.advance(HOUR * 12 - Duration::from_secs(1));
    assert_eq!(uses(&idle).await, 200);
    t.clock.advance(HOUR * 12 - Duration::from_secs(1));
    assert_eq!(uses(&idle).await, 200);
    t.clock.advance(HOUR * 12);
    assert_eq!(uses(&idle).await, 401);
    let busy = signed_in(&t).await;
    for hours in 1..24 * 7 / 8 {
        t.clock.advance(HOUR * 8);
        assert_eq!(uses(&busy).await, 200, "after {} hours", hours * 8);
    }
    t.clock.advance(HOUR * 8);
    assert_eq!(uses(&busy).await, 401);
    t.finish().await;
}

// W-4: a guess is answered like any other failure; many are slowed down, and a good link is not.
#[tokio::test]
async fn guesses_are_slowed_down_and_good_links_are_not() {
    let t = Harness::start().await;
    let good = link(&t).await;
    let browser = Browser::new(&t);
    let page = browser.opens(&good).await;
    let mut answers = Vec::new();
    for guess in 0..8 {
        let guess = if guess % 2 == 0 { format!("{guess:064x}") } else { "short".to_owned() };
        answers.push(browser.posts("/console/link", &[("link", &guess)]).await);
    }
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429, 429, 429]);
    assert_eq!(answers[0].html, answers[1].html, "a guess learns nothing");
    let wait: u64 = answers[7].header("retry-after").parse().unwrap();
    assert!((1..=12).contains(&wait), "{wait}");
    assert_eq!(browser.submits(&page, "/console/link", &[]).await.status, 303);
    t.finish().await;
}

// W-5: a page to open after sign-in is one of ours, or home.
#[tokio::test]
async fn a_link_leads_only_to_pages_of_the_console() {
    let t = Harness::start().await;
    for (next, leads_to) in [
        ("/console/discord-webhooks/new", "/console/discord-webhooks/new"),
        ("//evil.example", HOME),
        ("https://evil.example/console/", HOME),
        ("/%5Cevil.example", HOME),
        ("/console/..%2f..%2fevil", HOME),
    ] {
        let browser = Browser::new(&t);
        let page = browser.opens(&format!("{}?next={next}", link(&t).await)).await;
        let answer = browser.submits(&page, "/console/link", &[]).await;
        assert_eq!(answer.header("location"), leads_to, "{next}");
        let page = browser.opens(&link(&t).await).await;
        let token = page.hidden("/console/link").swap_remove(0).1;
        let answer = browser.posts("/console/link", &[("link", &token), ("next", next)]).await;
        assert_eq!(answer.header("location"), leads_to, "{next}");
    }
    t.finish().await;
}
