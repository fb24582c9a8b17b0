/**
 * The connection: loads the state once, then follows the events.
 *
 * After a lost connection or a changed channel it loads the state again.
 */

import { announce } from "./announce.js";
import { showDemo } from "./demo.js";
import { $ } from "./element.js";
import { settle } from "./interaction.js";
import { openModal } from "./modal.js";
import { route, scheduleBadges, view } from "./navigation.js";
import { showPerson } from "./person.js";
import { showPlatform } from "./platform.js";
import { stream } from "./stream.js";
import { counts } from "./status.js";
import { list, text } from "./value.js";
import { world } from "./world.js";

const STATE_URL = "/sandbox/state";
const STREAM_URL = "/sandbox/stream";

/** Events that arrived while the state was loading; they are idempotent, so replaying them on top of it is safe. */
let held = null;

async function load() {
  if (held) return;
  held = [];
  try {
    const answer = await fetch(STATE_URL, { cache: "no-store" });
    if (!answer.ok) throw new Error(`state: ${answer.status}`);
    const state = await answer.json();
    world.load(state);
    counts(state.counts);
    showDemo(state.demo);
    showPlatform(state.platform);
    showPerson();
    linkState("live");
    route();
  } catch (error) {
    console.warn("no state yet:", error);
    linkState("lost");
    setTimeout(load, 2000);
  }
  const late = held;
  held = null;
  late.forEach(receive);
}

function receive(event) {
  if (held) return held.push(event);
  const { t: kind, d: data } = event;
  if (kind === "MESSAGE_CREATE" || kind === "MESSAGE_UPDATE") {
    const { message, created } = world.put(data);
    if (!message) return;
    if (!world.sees(message)) return;
    if (created) arrived(message);
    else changed(message);
  } else if (kind === "MESSAGE_DELETE" || kind === "MESSAGE_DELETE_BULK") {
    for (const id of data.ids ?? [data.id]) {
      world.remove(data.channel_id, id);
      stream.remove(id);
    }
  } else if (kind === "SANDBOX_EPHEMERAL") {
    const { user_id: only_for, event, message } = data;
    receive({ t: event, d: { ...message, only_for } });
  } else if (kind === "SANDBOX_INTERACTION") {
    if (settle(data) && data.state === "modal") openModal(data);
  } else if (kind === "SANDBOX_COUNTS") {
    counts(data);
  } else if (kind === "DEMO_COUNTS") {
    showDemo(data);
  } else if (kind === "DEMO_PLATFORM") {
    showPlatform(data);
  } else if (/^(SANDBOX_RELOAD|CHANNEL_|THREAD_|GUILD_)/.test(kind)) {
    // Guilds and channels change rarely: reloading is simpler than eleven kinds of merging, and never wrong.
    load();
  }
  scheduleBadges();
}

function arrived(message) {
  const here = view.channel ? message.channel_id === view.channel : world.channels.get(message.channel_id)?.guild_id === view.guild;
  if (here) stream.append(message);
  announce(summaryOf(message));
}

function changed(message) {
  stream.update(message);
  // Discord sends an update without any change after resolving a link: only visible changes are announced.
  if (message.edited_timestamp) announce(`Changed in ${summaryOf(message)}`);
}

/** "machines: DESKTOP-001 asks to join". */
const summaryOf = (message) => `${text(world.channels.get(message.channel_id)?.name)}: ${text(message.embeds?.[0]?.title || message.content).slice(0, 200)}`;

function linkState(state) {
  $("link").dataset.state = state;
  $("link").textContent = state === "live" ? "live" : "reconnecting…";
  $("banner").hidden = state === "live";
  $("banner").textContent = state === "live" ? "" : "The sandbox cannot be reached. This page comes back by itself.";
}

export function connect() {
  const source = new EventSource(STREAM_URL);
  // Each (re)connection may have missed events: the stream opens first, then the state is loaded.
  source.onopen = () => load();
  source.onmessage = (message) => {
    try {
      receive(JSON.parse(message.data));
    } catch (error) {
      console.error("event", message.data, error);
    }
  };
  source.onerror = () => {
    linkState("lost");
    // The browser reconnects by itself, except after an HTTP error.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  };
}
