/**
 * The members of a guild, in the right column.
 */

import { appsButton } from "./apps.js";
import { $, h } from "./element.js";
import { appTag, avatar, nameOf } from "./user.js";
import { hex, list, text } from "./value.js";
import { world } from "./world.js";

/** Members under the first of their roles, in the guild's role order; people without a role and apps come last. */
export function members(guild, channel) {
  const roles = list(guild?.roles).filter((role) => role.id !== guild.id); // a guild's own id is its @everyone
  // A command needs a channel: the one on the screen, or the first.
  const place = channel ?? world.channelsOf(guild?.id)[0]?.id;
  const groups = [...roles.map(({ name, color }) => ({ name, color, users: [] })), { name: "Members", users: [] }, { name: "Apps", users: [] }];
  for (const { user, roles: theirs } of list(guild?.members)) {
    const role = roles.findIndex((role) => list(theirs).includes(role.id));
    groups.at(role >= 0 ? role : user.bot ? -1 : -2).users.push(user);
  }
  $("members").replaceChildren(...groups.filter(({ users }) => users.length > 0).map((group) => memberGroup(group, place)));
}

function memberGroup({ name, color, users }, channel) {
  const person = (user) =>
    h("li", { class: "member" }, avatar(user, "small"), h("span", { class: "who" }, h("bdi", {}, nameOf(user)), user.bot && appTag()), channel && appsButton(channel, { user }));
  const heading = h("h3", {}, color ? h("i", { "--role": hex(color) }) : null, h("bdi", {}, `${text(name)} · ${users.length}`));
  return h("section", { class: "members" }, heading, h("ul", {}, users.map(person)));
}
