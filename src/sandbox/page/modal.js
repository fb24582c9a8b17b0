/**
 * Modals: forms opened by an application. The browser's dialog keeps the focus inside.
 */

import { offers, TYPE } from "./command.js";
import { $, h } from "./element.js";
import { interact, MODAL } from "./interaction.js";
import { markdown } from "./markdown.js";
import { list, text } from "./value.js";

/** Discord's component types in a form. */
const ROW = 1;
const MENU = 3;
const INPUT = 4;
const WORDS = 10;
const LABEL = 18;
const CHOOSES = { 5: TYPE.USER, 6: TYPE.ROLE, 7: TYPE.ANYBODY, 8: TYPE.CHANNEL };
/** The style of a multi-line input. */
const PARAGRAPH = 2;
/** Characters that an input accepts by default. */
const LONGEST = 4000;

let open = null; // { id, channel, form, read }: the open form, and how to read its values

/** Shows the modal that answers interaction `id`. */
export function openModal({ id, channel_id: channel, modal: form }) {
  const readers = [];
  const rows = list(form?.components).map((row) => drawRow(row, channel, readers)).filter(Boolean);
  open = { id, channel, form, read: () => readers.map((read) => read()) };
  $("modal-title").textContent = text(form?.title);
  $("modal-rows").replaceChildren(...rows);
  $("modal-error").textContent = "";
  busy(false);
  $("modal").showModal();
  $("modal-rows").querySelector("input, textarea, select")?.focus();
}

/** A row of the form; its value is read in the format that Discord's clients send. */
function drawRow(row, channel, readers) {
  if (row?.type === WORDS) return markdown(text(row.content));
  if (row?.type === LABEL) {
    const { element, read } = control(row.component ?? {}, channel);
    readers.push(() => ({ type: LABEL, component: read() }));
    return field(text(row.label), text(row.description), row.component ?? {}, element);
  }
  const input = list(row?.components)[0];
  if (row?.type !== ROW || input?.type !== INPUT) return null;
  const { element, read } = control(input, channel);
  readers.push(() => ({ type: ROW, components: [read()] }));
  return field(text(input.label), "", input, element);
}

function field(label, description, { type, required, max_length: most }, element) {
  const count = type === INPUT && Number.isInteger(most) && h("small", { class: "counter", "aria-hidden": "true" });
  const show = () => count && (count.textContent = `${element.value.length}/${most}`);
  element.addEventListener("input", show);
  show();
  const star = required !== false && h("span", { class: "star", "aria-hidden": "true" }, " *");
  return h("label", { class: "field-row" }, h("span", { class: "field-label" }, h("bdi", {}, label), star), description && h("small", {}, description), element, count);
}

function control(input, channel) {
  const { type, custom_id } = input;
  const common = { required: input.required !== false };
  if (type === MENU || CHOOSES[type]) {
    const options = type === MENU ? list(input.options) : offers({ type: CHOOSES[type], channel_types: input.channel_types }, channel);
    const several = (input.max_values ?? 1) > 1;
    const first = !several && h("option", { value: "" }, text(input.placeholder) || "Make a selection");
    const element = h("select", { ...common, multiple: several }, first, options.map((option) => h("option", { value: text(option.value), selected: option.default }, text(option.label))));
    return { element, read: () => ({ type, custom_id, values: [...element.selectedOptions].map(({ value }) => value).filter(Boolean) }) };
  }
  const limits = { minlength: input.min_length, maxlength: input.max_length ?? LONGEST, placeholder: input.placeholder };
  const element = h(input.style === PARAGRAPH ? "textarea" : "input", { ...common, ...limits, rows: input.style === PARAGRAPH ? "5" : null, autocomplete: "off" });
  element.value = text(input.value);
  return { element, read: () => ({ type: INPUT, custom_id, value: element.value }) };
}

function busy(yes) {
  $("modal-submit").setAttribute("aria-busy", String(yes));
}

async function submit() {
  if (!open || $("modal-submit").getAttribute("aria-busy") === "true") return;
  const asked = open;
  busy(true);
  $("modal-error").textContent = "";
  const data = { id: asked.id, custom_id: asked.form.custom_id, components: asked.read() };
  const outcome = await interact(MODAL, asked.channel, data);
  if (open !== asked) return;
  busy(false);
  if (outcome.state !== "failed") return $("modal").close();
  $("modal-error").textContent = `Something went wrong: ${text(outcome.reason) || "try again"}.`.replace(/\.\.$/, ".");
}

$("modal").addEventListener("close", () => (open = null));
$("modal-cancel").addEventListener("click", () => $("modal").close());
$("modal-form").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
