/**
 * Reading of values that may have any type, and their few display formats.
 */

/** Snowflakes are unsigned 64-bit numbers in strings: too large for Number, but longer is larger. */
export const compareIds = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
export const list = (value) => (Array.isArray(value) ? value : []);
export const text = (value) => (value === undefined || value === null ? "" : String(value));
export const hex = (color) => `#${(Number(color) & 0xffffff).toString(16).padStart(6, "0")}`;
export const plural = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
