// A fake nuncio on loopback: gives the answers of a script, keeps the requests.
import { createServer } from "node:http";
import { once } from "node:events";

/** Starts it for one test. `answers` is the script; a request beyond its end is a failure that `done` reports. */
export async function fakeNuncio(t, { key } = {}) {
  const fake = { answers: [], requests: [], beyond: 0 };
  const server = createServer(async (request, response) => {
    let body = "";
    try {
      for await (const chunk of request.setEncoding("utf8")) body += chunk;
    } catch { return; }
    fake.requests.push({ method: request.method, path: request.url, headers: request.headers, body });
    const answer = fake.answers.shift();
    if (!answer) fake.beyond += 1;
    await give(answer ?? { status: 500, text: "beyond the script" }, response);
  });
  const filled = (text) => text.replaceAll("{key}", key ?? "").replaceAll("{url}", fake.url);
  async function give(answer, response) {
    if (answer.fault === "reset") return response.socket.destroy();
    if (answer.fault === "half") {
      response.writeHead(202, { "content-type": "application/json", "content-length": "40" });
      response.write('{"event_id":"evt_1",');
      return setImmediate(() => response.socket.destroy());
    }
    if (answer.fault === "endless") {
      response.writeHead(200, { "content-type": "application/json" });
      const part = " ".repeat(64 * 1024);
      let finish;
      fake.written = new Promise((resolve) => { finish = resolve; });
      let written = 0;
      response.on("close", () => finish(written)).on("error", () => {});
      const more = () => {
        while (!response.destroyed) {
          written += part.length;
          if (!response.write(part)) return response.once("drain", more);
        }
      };
      more();
      return;
    }
    if (answer.fault === "hang") return;
    const headers = { "content-type": "application/json", ...answer.headers };
    if (answer.retry_after_in_s) headers["retry-after"] = new Date(Date.now() + answer.retry_after_in_s * 1000).toUTCString();
    response.writeHead(answer.status, headers);
    response.end(filled(answer.text ?? JSON.stringify(answer.body)));
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  fake.url = `http://127.0.0.1:${server.address().port}`;
  fake.filled = (value) => JSON.parse(filled(JSON.stringify(value)));
  fake.next = (...answers) => { fake.answers.push(...answers); };
  fake.stop = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  t.after(fake.stop);
  return fake;
}

/** The functions' pauses (250 ms, then 500 ms, without their random part) take no time. fetch has timers of its own. */
export function hurry(t) {
  t.mock.method(Math, "random", () => 0);
  const pauses = [];
  const real = globalThis.setTimeout;
  t.mock.method(globalThis, "setTimeout", (callback, ms, ...rest) => {
    if (ms !== 250 && ms !== 500) return real(callback, ms, ...rest);
    pauses.push(ms);
    return setImmediate(callback);
  });
  return pauses;
}
