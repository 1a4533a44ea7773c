// Whoever is told what requests were: a collector or a webhook on loopback, which keeps what it heard.
import http from "node:http";

/** A receiver whose answers a test may change: `{ status, headers, body }`, or `{ silent: true }` for none at all. */
export async function receiver() {
  const self = { heard: [], answer: { status: 200, body: "{}" } };
  const server = http.createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => { text += chunk; });
    request.on("end", () => {
      self.heard.push({ path: request.url, headers: request.headers, text, at: Date.now() });
      if (self.answer.silent) return;
      response.writeHead(self.answer.status, self.answer.headers).end(self.answer.body);
    });
  });
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  self.origin = `http://127.0.0.1:${server.address().port}`;
  self.stop = () => { server.closeAllConnections(); server.close(); };
  return self;
}
