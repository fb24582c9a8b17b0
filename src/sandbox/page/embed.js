/**
 * Cards, which Discord calls embeds.
 */

import { h, link, safeUrl } from "./element.js";
import { inline, markdown } from "./markdown.js";
import { dateOf, timeElement, when } from "./time.js";
import { hex, list, text } from "./value.js";

export function embed(data) {
  const title = data.title && inline(text(data.title), { plain: true });
  const url = safeUrl(data.url);
  const author = data.author?.name && text(data.author.name);
  const authorUrl = safeUrl(data.author?.url);
  const stamp = dateOf(data.timestamp);
  const footer = [
    data.footer?.text && h("bdi", {}, text(data.footer.text)),
    data.footer?.text && stamp && " · ",
    stamp && timeElement(stamp, when(stamp)),
  ].filter(Boolean);
  return h(
    "article",
    { class: "embed", "--bar": Number.isInteger(data.color) ? hex(data.color) : null },
    author && h("div", { class: "embed-author" }, authorUrl ? link(authorUrl, {}, author) : author),
    title && (url ? link(url, { class: "embed-title" }, title) : h("div", { class: "embed-title" }, title)),
    data.description && markdown(text(data.description)),
    list(data.fields).length > 0 && h("div", { class: "fields" }, fieldRows(list(data.fields).filter(Boolean))),
    picture(data.image?.url, "Picture"),
    picture(data.thumbnail?.url, "Thumbnail"),
    footer.length > 0 && h("div", { class: "embed-footer" }, footer),
  );
}

/** Discord puts up to three consecutive inline fields into one row; `data-of` is the number of fields in it. */
function fieldRows(fields) {
  const rows = [];
  for (const field of fields) {
    const row = rows.at(-1);
    if (field.inline && row?.[0].inline && row.length < 3) row.push(field);
    else rows.push([field]);
  }
  const cell = (field, _, row) => {
    const name = h("div", { class: "field-name" }, inline(text(field.name), { plain: true }));
    return h("div", { class: "field", "data-of": row.length }, name, markdown(text(field.value)));
  };
  return rows.flatMap((row) => row.map(cell));
}

/** The page's policy allows images from Discord's own CDN only; any other is named, not fetched. */
function picture(address, label) {
  const url = safeUrl(address);
  if (!url) return null;
  if (new URL(url).origin === "https://cdn.discordapp.com") return h("img", { src: url, alt: label, loading: "lazy" });
  return h("div", { class: "embed-media" }, link(url, {}, `${label}: ${new URL(url).host}`));
}
