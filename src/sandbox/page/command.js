/**
 * Commands: the available ones, their options, and their use.
 */

import { $, h, icon } from "./element.js";
import { COMMAND, interact } from "./interaction.js";
import { list, text } from "./value.js";
import { world } from "./world.js";

/** Discord's option types. */
export const TYPE = { SUB: 1, GROUP: 2, TEXT: 3, WHOLE: 4, FLAG: 5, USER: 6, CHANNEL: 7, ROLE: 8, ANYBODY: 9, NUMBER: 10, FILE: 11 };

/**
 * All slash commands of a channel: `{ command, path, description, options }`, one for each subcommand; `path` is the
 * words that are typed. A guild's own command takes precedence over a global one with this name.
 */
export function slashCommands(channel) {
  const guild = world.channels.get(channel)?.guild_id;
  const byName = new Map();
  for (const command of world.commands) {
    if ((command.type ?? 1) !== 1 || (command.guild_id && command.guild_id !== guild)) continue;
    if (command.guild_id || !byName.has(command.name)) byName.set(command.name, command);
  }
  return [...byName.values()].flatMap((command) => leaves(command, command, [text(command.name)]));
}

function leaves(command, node, path) {
  const inner = list(node.options).filter(({ type }) => type === TYPE.SUB || type === TYPE.GROUP);
  if (inner.length > 0) return inner.flatMap((sub) => leaves(command, sub, [...path, text(sub.name)]));
  return [{ command, path, description: text(node.description), options: list(node.options) }];
}

/** The data of an interaction: the filled options inside their subcommands. */
export function dataOf({ command, path }, options) {
  let inner = options;
  let node = command;
  const types = path.slice(1).map((name) => (node = list(node.options).find((option) => option.name === name)).type);
  for (let i = path.length - 1; i > 0; i--) inner = [{ name: path[i], type: types[i - 1], options: inner }];
  return { type: 1, options: inner };
}

/** The values that an option accepts: `[{ label, detail?, value }]`, or null if it is free text. */
export function offers(option, channel) {
  const guild = world.guildOf(channel);
  const users = () => list(guild?.members).map(({ user }) => ({ label: text(user.global_name || user.username), detail: text(user.username), value: user.id }));
  const roles = () => list(guild?.roles).map(({ id, name }) => ({ label: `@${text(name).replace(/^@/, "")}`, value: id }));
  const channels = () =>
    world.channelsOf(guild?.id).filter(({ type }) => !list(option.channel_types).length || option.channel_types.includes(type));
  if (list(option.choices).length > 0) return option.choices.map(({ name, value }) => ({ label: text(name), value }));
  switch (option.type) {
    case TYPE.FLAG: return [{ label: "True", value: true }, { label: "False", value: false }];
    case TYPE.USER: return users();
    case TYPE.ROLE: return roles();
    case TYPE.ANYBODY: return [...users(), ...roles()];
    case TYPE.CHANNEL: return channels().map(({ id, name }) => ({ label: `#${text(name)}`, value: id }));
    default: return null;
  }
}

/** Uses a command; the line above the composer shows its progress. */
export async function useCommand(command, channel, data) {
  const name = command.type === 1 || !command.type ? `/${text(command.name)}` : text(command.name);
  progress(h("i", { class: "spinner", "aria-hidden": "true" }), `${name}: sending…`);
  const outcome = await interact(COMMAND, channel, { id: command.id, name: command.name, type: 1, options: [], ...data });
  if (outcome.state === "failed") fail(`${name} failed`, outcome.reason);
  else progress();
}

/** Shows an error above the composer until it is dismissed or something else is done. */
export function fail(what, reason) {
  const close = h("button", { class: "icon-button", type: "button", onclick: () => progress() }, icon("close"), h("span", { class: "sr-only" }, "Put away"));
  progress(h("b", {}, what), h("span", {}, text(reason)), close);
  $("progress").dataset.state = "failed";
}

export function progress(...parts) {
  delete $("progress").dataset.state;
  $("progress").hidden = parts.length === 0;
  $("progress").replaceChildren(...parts);
}
