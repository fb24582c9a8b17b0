//! A browser without scripts: it keeps its cookies, and says where a form was sent from.

use std::cell::RefCell;
use std::sync::LazyLock;

use regex::Regex;
use reqwest::Method;

use crate::harness::{Harness, by};

/// Does not follow redirects: where they lead is a part of the promise.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    let builder = nuncio::outgoing::builder().no_proxy().pool_max_idle_per_host(0);
    builder.redirect(reqwest::redirect::Policy::none()).build().expect("TLS can be set up")
});

pub struct Browser<'a> {
    t: &'a Harness,
    /// `name=value`, as the last `Set-Cookie` said.
    pub cookie: RefCell<Option<String>>,
    /// Headers of every request, beside those of a form.
    pub headers: Vec<(&'static str, &'static str)>,
}

/// What came back.
pub struct Page {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub html: String,
}

impl<'a> Browser<'a> {
    pub fn new(t: &'a Harness) -> Self {
        Self { t, cookie: RefCell::default(), headers: Vec::new() }
    }

    /// Opens a page.
    pub async fn gets(&self, path: &str) -> Page {
        self.asks(Method::GET, path, &[], None).await
    }

    /// Opens a page, which is there.
    pub async fn opens(&self, path: &str) -> Page {
        let page = self.gets(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.html);
        page
    }

    /// Sends these fields from a page of the console.
    pub async fn posts(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let origin = self.t.admin_url("");
        self.asks(Method::POST, path, &[("origin", &origin)], Some(encoded(fields))).await
    }

    /// Fills in the form of `page` that leads to `path`, and sends it.
    pub async fn submits(&self, page: &Page, path: &str, filled: &[(&str, &str)]) -> Page {
        let mut fields: Vec<(String, String)> = page.hidden(path);
        fields.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.posts(path, &fields).await
    }

    /// The page that an answer leads to.
    pub async fn follows(&self, page: &Page) -> Page {
        assert_eq!(page.status, 303, "{}", page.html);
        self.opens(page.header("location")).await
    }

    /// Any request.
    pub async fn asks(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Page {
        let mut request = CLIENT.request(method, self.t.admin_url(path));
        for (name, value) in self.headers.iter().chain(headers) {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &*self.cookie.borrow() {
            request = request.header("cookie", cookie);
        }
        if let Some(body) = body {
            if !headers.iter().any(|(name, _)| *name == "content-type") {
                request = request.header("content-type", "application/x-www-form-urlencoded");
            }
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let page = Page { status, headers, html: response.text().await.unwrap() };
        if let Some(cookie) = page.cookies().iter().find(|cookie| !cookie.contains("=;")) {
            *self.cookie.borrow_mut() = cookie.split(';').next().map(str::to_owned);
        }
        page
    }
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn cookies(&self) -> Vec<String> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    /// The hidden fields of the form that leads to `path`.
    pub fn hidden(&self, path: &str) -> Vec<(String, String)> {
        let form = format!(r#"(?s)<form[^>]* action="{}">(.*?)</form>"#, regex::escape(path));
        let form = Regex::new(&form).unwrap().captures(&self.html);
        let form = form.unwrap_or_else(|| panic!("no form leads to {path}: {}", self.html))[1].to_owned();
        let field = Regex::new(r#"<input type="hidden" name="([^"]*)" value="([^"]*)">"#).unwrap();
        field.captures_iter(&form).map(|field| (field[1].to_owned(), field[2].to_owned())).collect()
    }

    /// The text of the page, without its tags.
    pub fn text(&self) -> String {
        let tags = Regex::new(r"(?s)<[^>]*>").unwrap();
        tags.replace_all(&self.html, " ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The faults, each with the id of its field.
    pub fn faults(&self) -> Vec<(String, String)> {
        let fault = Regex::new(r#"<p class="fault"(?: id="([a-z]+)-fault")?>([^<]*)</p>"#).unwrap();
        let found = fault.captures_iter(&self.html);
        found.map(|one| (one.get(1).map_or("", |id| id.as_str()).to_owned(), one[2].to_owned())).collect()
    }

    pub fn token(&self) -> String {
        let token = Regex::new(r#"name="token" value="([0-9a-f]{64})""#).unwrap();
        token.captures(&self.html).unwrap_or_else(|| panic!("no form has a token: {}", self.html))[1]
            .to_owned()
    }
}

/// A path of a one-time link that alice made.
pub async fn link(t: &Harness) -> String {
    let link = t.hub().console_link(&by("alice (command line)")).await.unwrap();
    format!("/console/link/{}", link.secret().expose())
}

/// Alice, signed in.
pub async fn signed_in(t: &Harness) -> Browser<'_> {
    let browser = Browser::new(t);
    let page = browser.opens(&link(t).await).await;
    assert_eq!(browser.submits(&page, "/console/link", &[]).await.status, 303);
    browser
}

pub fn encoded(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        };
        text.bytes().map(byte).collect::<String>()
    };
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}
