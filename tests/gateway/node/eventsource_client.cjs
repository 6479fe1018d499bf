// Server-Sent Events by npm's `eventsource`, which comes back by itself. What happens is told as a line of JSON,
// until standard input ends.
//
//     eventsource_client.cjs URL
"use strict";
const { EventSource } = require("eventsource");

const tell = what => process.stdout.write(JSON.stringify(what) + "\n");

const source = new EventSource(process.argv[2], {
  fetch: (url, options) => {
    tell({ request: options.headers["Last-Event-ID"] ?? null });
    return fetch(url, options);
  },
});
for (const name of ["message", "subscribed", "snapshot", "gap", "bye"]) {
  source.addEventListener(name, ({ data, lastEventId }) => tell({ [name]: JSON.parse(data), id: lastEventId }));
}
source.addEventListener("error", ({ code }) => {
  tell({ error: code ?? null });
  if (source.readyState === EventSource.CLOSED) process.exit();
});
// The package does not keep Node.js from ending while it waits to come back.
process.stdin.resume().on("end", () => process.exit());
