/**
 * The current person: one of the sandbox's people, chosen at the bottom left and remembered in this tab.
 */

import { $ } from "./element.js";
import { openMenu } from "./menu.js";
import { avatar } from "./user.js";
import { list, text } from "./value.js";
import { world } from "./world.js";

const KEY = "nuncio.person";

/** Storage throws if the visitor has disabled it; the page works without it. */
const remembered = {
  get() {
    try { return sessionStorage.getItem(KEY); } catch { return null; }
  },
  set(id) {
    try { sessionStorage.setItem(KEY, id); } catch { /* then it is not remembered */ }
  },
};

let changed = () => {};

/** `onchange` is called when the visitor has switched to another person. */
export function startPerson(onchange) {
  changed = onchange;
  $("identity").addEventListener("click", () => openMenu($("identity"), "Be somebody", world.people.map(choice)));
}

/** Selects the previous person, or the first, and shows the choice. */
export function showPerson() {
  const before = world.me?.id ?? remembered.get();
  world.me = world.people.find(({ id }) => id === before) ?? world.people[0] ?? null;
  $("identity").disabled = world.people.length === 0;
  $("identity-name").textContent = text(world.me?.name ?? world.application.name);
  $("identity-avatar").replaceChildren(avatar(world.me ? userOf(world.me) : { id: world.application.id }, "small"));
}

function choice(person) {
  const roles = list(person.roles).map((id) => text(world.roles.get(id)?.name)).filter(Boolean);
  const pick = () => {
    world.me = person;
    remembered.set(person.id);
    showPerson();
    changed();
  };
  return { label: text(person.name), detail: roles.join(", ") || "no roles", face: avatar(userOf(person), "small"), checked: person.id === world.me?.id, pick };
}

const userOf = ({ id, name }) => ({ id, username: name });
