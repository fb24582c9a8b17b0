/**
 * "Apps": the commands that an application adds to the menus of messages and members.
 */

import { useCommand } from "./command.js";
import { h, icon } from "./element.js";
import { openMenu } from "./menu.js";
import { nameOf } from "./user.js";
import { world } from "./world.js";

const ON_USER = 2;
const ON_MESSAGE = 3;

/**
 * A button that opens the commands for `message` and `user`, to be used in `channel`; null if there are none, so that
 * no useless button is offered.
 */
export function appsButton(channel, { message = null, user = null }) {
  const guild = world.channels.get(channel)?.guild_id;
  const here = world.commands.filter((command) => !command.guild_id || command.guild_id === guild);
  const items = [
    ...(message ? here.filter(({ type }) => type === ON_MESSAGE) : []).map((command) => entry(command, channel, message.id, "on this message")),
    ...(user && world.users.has(user.id) ? here.filter(({ type }) => type === ON_USER) : []).map((command) =>
      entry(command, channel, user.id, `on ${nameOf(user)}`),
    ),
  ];
  if (items.length === 0) return null;
  const name = message ? "Apps on this message" : `Apps on ${nameOf(user)}`;
  const onclick = (event) => openMenu(event.currentTarget, name, items);
  return h("button", { class: "icon-button apps", type: "button", title: "Apps", "aria-haspopup": "menu", onclick }, icon("apps"), h("span", { class: "sr-only" }, name));
}

function entry(command, channel, target_id, detail) {
  return { label: command.name, detail, pick: () => useCommand(command, channel, { type: command.type, target_id }) };
}
