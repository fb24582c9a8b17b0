/**
 * A forum: the list of its posts. Each post is a thread and opens like a channel.
 */

import { h, icon } from "./element.js";
import { timeElement, timeOf, when } from "./time.js";
import { nameOf } from "./user.js";
import { list, plural, text } from "./value.js";
import { world } from "./world.js";

export function forumPosts(forum) {
  const posts = world.threadsOf(forum.id);
  if (posts.length === 0) return [icon("envoy"), h("h3", {}, `Welcome to #${text(forum.name)}`), h("p", {}, "No posts yet.")];
  return [h("ul", { class: "posts" }, posts.map((thread) => post(forum, thread)))];
}

function post(forum, thread) {
  const [first] = world.of(thread.id);
  const author = first?.author ?? world.users.get(thread.owner_id);
  const date = timeOf({ id: thread.last_message_id ?? thread.id });
  const tags = list(thread.applied_tags).map((id) => list(forum.available_tags).find((tag) => tag.id === id)).filter(Boolean);
  return h(
    "li",
    {},
    h(
      "a",
      { class: "post", href: `#channel/${thread.id}` },
      tags.length > 0 && h("span", { class: "tags" }, tags.map(({ name }) => h("bdi", { class: "pill" }, text(name)))),
      h("bdi", { class: "post-name" }, text(thread.name)),
      h("span", { class: "post-excerpt" }, h("bdi", {}, author ? `${nameOf(author)}: ` : ""), text(first?.content || first?.embeds?.[0]?.title).slice(0, 200)),
      h("small", {}, icon("thread"), plural(world.of(thread.id).length, "message"), " · ", timeElement(date, when(date))),
    ),
  );
}
