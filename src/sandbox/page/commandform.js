/**
 * The command form: the name of a command and a field for each option. It checks what it can; Discord checks again.
 */

import { dataOf, offers, TYPE, useCommand } from "./command.js";
import { $, h } from "./element.js";
import { AUTOCOMPLETE, interact } from "./interaction.js";
import { dismiss, suggest } from "./suggestion.js";
import { list, text } from "./value.js";

/** Choices offered at once (Discord: choices ≤ 25). */
const OFFERED = 25;
/** The pause in typing before an application is asked for autocomplete choices. */
const PAUSE_MS = 250;
const WORDS = {
  [TYPE.TEXT]: "text", [TYPE.WHOLE]: "a whole number", [TYPE.NUMBER]: "a number", [TYPE.FLAG]: "True or False", [TYPE.USER]: "a user",
  [TYPE.CHANNEL]: "a channel", [TYPE.ROLE]: "a role", [TYPE.ANYBODY]: "a user or a role",
};

export class CommandForm {
  constructor(slash, channel) {
    this.slash = slash;
    this.channel = channel;
    this.fields = [];
    this.more = h("span", { class: "command-more" });
    const name = h("b", { class: "command-name" }, `/${slash.path.join(" ")}`);
    this.hint = h("p", { class: "command-hint", role: "status" }, slash.description);
    this.row = h("div", { class: "command-row" }, name, this.more);
    this.element = h("div", { class: "command" }, this.row, this.hint);
    for (const option of slash.options) if (option.required) this.add(option);
    this.offerMore();
  }

  /** Moves the focus to the first missing field, otherwise to the button that uses the command. */
  focus() {
    const next = this.fields.find(({ option, input }) => option.required && !input.value) ?? null;
    (next?.input ?? $("send")).focus();
  }

  isEmptyAt(element) {
    return element === $("send") || (element.tagName === "INPUT" && element.value === "" && element === this.fields[0]?.input);
  }

  add(option) {
    const field = { option, chosen: null, asked: 0, timer: 0 };
    const hint = () => (this.hint.textContent = [text(option.name), text(option.description) || WORDS[option.type]].join(": "));
    field.input = h("input", {
      type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", inputmode: option.type === TYPE.WHOLE ? "numeric" : null,
      "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "suggestions", "aria-required": String(Boolean(option.required)),
      placeholder: option.autocomplete || list(option.choices).length ? "choose" : (WORDS[option.type] ?? "not possible here"),
      oninput: () => {
        field.chosen = null;
        field.input.removeAttribute("aria-invalid");
        this.offer(field);
      },
      onfocus: () => {
        hint();
        this.offer(field);
      },
      onblur: dismiss,
    });
    field.element = h("label", { class: "command-option" }, h("span", {}, text(option.name)), field.input);
    this.fields.push(field);
    this.more.before(field.element);
    return field;
  }

  /** The optional options, as buttons that add their field. */
  offerMore() {
    const left = this.slash.options.filter((option) => option.type !== TYPE.FILE && !this.fields.some((field) => field.option === option));
    const one = (option) => {
      const onclick = () => {
        const { input } = this.add(option);
        this.offerMore();
        input.focus();
      };
      return h("button", { class: "command-add", type: "button", title: text(option.description), onclick }, `+ ${text(option.name)}`);
    };
    this.more.replaceChildren(...left.map(one));
  }

  offer(field) {
    const { option, input } = field;
    if (option.autocomplete) return this.ask(field);
    const all = offers(option, this.channel);
    if (!all) return dismiss();
    const wanted = input.value.toLowerCase().replace(/^[@#]/, "");
    const fits = all.filter(({ label, detail }) => `${label} ${detail ?? ""}`.toLowerCase().includes(wanted));
    if (field.chosen) return dismiss();
    suggest(input, text(option.description) || text(option.name), fits.slice(0, OFFERED), (item) => this.take(field, item));
  }

  /** Requests autocomplete choices from the application; only the newest answer counts. */
  ask(field) {
    clearTimeout(field.timer);
    const turn = ++field.asked;
    field.timer = setTimeout(async () => {
      const { command } = this.slash;
      const filled = this.fields.filter((other) => other !== field && other.input.value).map((other) => this.read(other)).filter(({ value }) => value !== undefined);
      const focused = { name: field.option.name, type: field.option.type, value: field.input.value, focused: true };
      const data = dataOf(this.slash, [...filled, focused]);
      const outcome = await interact(AUTOCOMPLETE, this.channel, { id: command.id, name: command.name, ...data });
      if (turn !== field.asked || document.activeElement !== field.input || field.chosen) return;
      if (outcome.state === "failed") this.hint.textContent = "Loading options failed";
      const items = list(outcome.choices).map(({ name, value }) => ({ label: text(name), value }));
      suggest(field.input, text(field.option.description), items, (item) => this.take(field, item), { first: false });
    }, PAUSE_MS);
  }

  take(field, { label, value }) {
    field.chosen = { label, value };
    field.input.value = label;
    field.input.removeAttribute("aria-invalid");
    this.focus();
  }

  /** The option as the interaction carries it; its value is undefined if the input does not match its type. */
  read({ option, input, chosen }) {
    const typed = input.value.trim();
    const offered = option.autocomplete ? null : offers(option, this.channel);
    let value = chosen?.value;
    if (!chosen && offered) {
      const wanted = typed.toLowerCase().replace(/^[@#]/, "");
      value = offered.find(({ label, value }) => label.toLowerCase().replace(/^[@#]/, "") === wanted || value === typed)?.value;
    } else if (!chosen && (option.type === TYPE.WHOLE || option.type === TYPE.NUMBER)) {
      const number = typed === "" ? NaN : Number(typed);
      if (Number.isFinite(number) && (option.type === TYPE.NUMBER || Number.isInteger(number))) value = number;
    } else if (!chosen && option.type === TYPE.TEXT && typed) {
      value = typed;
    }
    return { name: option.name, type: option.type, value };
  }

  /** Uses the command if it is complete; otherwise focuses the first missing field. Returns whether it was used. */
  async use() {
    for (const field of this.fields) {
      const empty = field.input.value.trim() === "";
      const wrong = empty ? field.option.required : this.read(field).value === undefined;
      field.input.toggleAttribute("aria-invalid", false);
      if (!wrong) continue;
      field.input.setAttribute("aria-invalid", "true");
      field.input.focus();
      this.hint.textContent = empty ? "This option is required." : `${text(field.option.name)} takes ${WORDS[field.option.type]}.`;
      return false;
    }
    const filled = this.fields.filter(({ input }) => input.value.trim() !== "").map((field) => this.read(field));
    useCommand(this.slash.command, this.channel, dataOf(this.slash, filled));
    return true;
  }
}
