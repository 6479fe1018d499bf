// A WebSocket by npm's `ws`, driven by lines: what comes in on standard input is sent, what happens is told as a line of JSON.
//
//     ws_client.cjs URL SUBPROTOCOL [OPTIONS]
//
// OPTIONS are those of `ws`, as JSON. With FlatBuffers frames are told as JSON has them, and only subscribe can be said.
"use strict";
const readline = require("node:readline");
const { WebSocket } = require("ws");

const [url, subprotocol, options = "{}"] = process.argv.slice(2);
const wire = subprotocol === "swarmbus.v1.fb" ? require("./frames.cjs") : undefined;
const tell = what => process.stdout.write(JSON.stringify(what) + "\n");

const socket = new WebSocket(url, subprotocol, JSON.parse(options));
socket.on("open", () => {
  tell({ open: socket.protocol });
  readline
    .createInterface({ input: process.stdin })
    .on("line", line => socket.send(wire ? wire.encode(JSON.parse(line)) : line))
    .on("close", () => socket.close(1000));
});
socket.on("message", (data, binary) => {
  if (binary !== (wire !== undefined)) tell({ error: `a ${binary ? "binary" : "text"} message` });
  else for (const message of wire ? wire.decode(data) : [JSON.parse(data)]) tell(message);
});
socket.on("ping", () => tell({ ping: true }));
socket.on("unexpected-response", (request, response) => {
  tell({ refused: response.statusCode });
  request.destroy();
});
socket.on("error", error => tell({ error: error.message }));
socket.on("close", code => {
  tell({ closed: code });
  process.exit();
});
