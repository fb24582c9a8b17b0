/**
 * What a person does with an application.
 */

import { note } from "./note.js";
import { world } from "./world.js";

/** The one place where a person acts. The state names the endpoint as soon as the sandbox can take interactions. */
export async function press(message, component) {
  if (!world.interactions) return note("Nobody answers this button yet: decisions come with a later version.");
  const data = { component_type: component.type, custom_id: component.custom_id };
  const body = JSON.stringify({ type: 3, channel_id: message.channel_id, message_id: message.id, data });
  try {
    const answer = await fetch(world.interactions, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (!answer.ok) note(`This interaction failed (${answer.status}).`);
  } catch {
    note("This interaction failed: the sandbox cannot be reached.");
  }
}
