/**
 * Dates in the reader's own language; relative ones stay current while the page is open.
 */

import { h } from "./element.js";

export const formats = {
  t: new Intl.DateTimeFormat(undefined, { timeStyle: "short" }),
  T: new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }),
  d: new Intl.DateTimeFormat(undefined, { dateStyle: "short" }),
  D: new Intl.DateTimeFormat(undefined, { dateStyle: "long" }),
  f: new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" }),
  F: new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" }),
};
const relativeFormat = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const UNITS = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

export function relative(date) {
  const seconds = (date - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return relativeFormat.format(Math.trunc(seconds / size), unit);
}

/** The short form of chat clients; the tooltip has the whole date. */
export function when(date) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return formats.t.format(date);
  if (days === 1) return `Yesterday at ${formats.t.format(date)}`;
  return `${formats.d.format(date)} ${formats.t.format(date)}`;
}

export function timeElement(date, shown, properties = {}) {
  return h("time", { datetime: date.toISOString(), title: formats.F.format(date), ...properties }, shown);
}

/** A valid Date, or null: any value in a message may have any type. */
export function dateOf(value) {
  const date = new Date(value ?? NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Discord's epoch, and the fallback for a message without a timestamp. */
export const timeOf = (message) => dateOf(message.timestamp) ?? new Date(Number(BigInt(message.id) >> 22n) + 1_420_070_400_000);

setInterval(() => {
  for (const time of document.querySelectorAll("time[data-relative]")) time.textContent = relative(new Date(time.dateTime));
}, 5_000);
