/**
 * The sandbox's page: a chat client's view of the Discord that `nuncio sandbox` and `nuncio demo` run.
 *
 * It owns only the view; one noun, one file, no build step. This file starts the page: theme, drawer, person,
 * connection.
 */

import { connect } from "./connection.js";
import { $ } from "./element.js";
import { route } from "./navigation.js";
import { startPerson } from "./person.js";
import { stream } from "./stream.js";

/** Storage throws if the visitor has disabled it; the page works without it. */
const remembered = {
  get(key) {
    try { return localStorage.getItem(key); } catch { return null; }
  },
  set(key, value) {
    try { localStorage.setItem(key, value); } catch { /* then it is not remembered */ }
  },
};

function setTheme(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  $("theme-icon").setAttribute("href", currentTheme() === "dark" ? "#icon-sun" : "#icon-moon");
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const currentTheme = () => document.documentElement.dataset.theme ?? (systemDark.matches ? "dark" : "light");

function openDrawer(open) {
  $("drawer").toggleAttribute("data-open", open);
  $("backdrop").hidden = !open;
  $("menu").setAttribute("aria-expanded", open);
  document.querySelector("main").inert = open;
}

setTheme(new URLSearchParams(location.search).get("theme") ?? remembered.get("nuncio.theme"));
systemDark.addEventListener("change", () => setTheme());
$("theme").addEventListener("click", () => {
  const theme = currentTheme() === "dark" ? "light" : "dark";
  setTheme(theme);
  remembered.set("nuncio.theme", theme);
});
$("menu").addEventListener("click", () => {
  openDrawer(true);
  $("all-channels").focus();
});
$("backdrop").addEventListener("click", () => openDrawer(false));
$("drawer").addEventListener("click", (event) => event.target.closest("a") && openDrawer(false));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !$("drawer").hasAttribute("data-open")) return;
  openDrawer(false);
  $("menu").focus();
});
$("jump").addEventListener("click", () => stream.toEnd());
$("scroller").addEventListener("scroll", () => stream.scrolled(), { passive: true });
document.addEventListener("visibilitychange", () => stream.refresh());
new ResizeObserver(() => stream.pinned && stream.toEnd()).observe($("scroller"));
addEventListener("hashchange", route);

startPerson(route);
connect();
