// Binary messages, by npm's `flatbuffers` and what flatc makes of schemas/gateway.fbs: in the folder SWARMBUS_WIRE.
"use strict";
const flatbuffers = require("flatbuffers");

const wire = name => require(`${process.env.SWARMBUS_WIRE}/swarmbus/wire/${name}.ts`);
const { Control } = wire("control");
const { Cursor } = wire("cursor");
const { Encoding } = wire("encoding");
const { Frame } = wire("frame");
const { Subscribe } = wire("subscribe");
const controls = Object.fromEntries(
  ["Bye", "Error", "Gap", "Heartbeat", "Hello", "Published", "Snapshot", "Subscribed"].map(name => [Control[name], wire(name.toLowerCase())[name]]));

const cursorText = cursor => cursor && `${cursor.epoch().toString(16).padStart(16, "0")}-${cursor.offset()}`;

function event(frame) {
  const stamp = frame.stamp();
  return {
    type: frame.type(), source: frame.source(), subject: frame.subject(), sequence: Number(stamp.sequence()), offset: Number(stamp.offset()),
    encoding: Encoding[stamp.encoding()].toLowerCase(), payload: Buffer.from(frame.payloadArray() ?? []).toString(),
  };
}

function control(frame) {
  const table = frame.control(new controls[frame.controlType()]());
  const told = { op: Control[frame.controlType()].toLowerCase() };
  if (table.cursor) told.cursor = cursorText(table.cursor());
  if (table.resume) told.resume = ["live", "recovered", "reset"][table.resume()];
  if (table.patternsLength) told.patterns = Array.from({ length: table.patternsLength() }, (_, at) => table.patterns(at));
  return told;
}

// The frames of a message, as ws_client tells them.
function* decode(message) {
  for (let at = 0, size; at < message.length; at += size) {
    size = 4 + message.readUInt32LE(at);
    if (size % 8 !== 0 || at + size > message.length) throw new Error(`a frame of ${size} bytes at ${at} of ${message.length}`);
    const frame = Frame.getSizePrefixedRootAsFrame(new flatbuffers.ByteBuffer(message.subarray(at, at + size)));
    yield frame.stamp() ? event(frame) : control(frame);
  }
}

function encode({ op, patterns, since }) {
  if (op !== "subscribe") throw new Error(`${op} can't be said`);
  const builder = new flatbuffers.Builder();
  const list = Subscribe.createPatternsVector(builder, patterns.map(pattern => builder.createString(pattern)));
  Subscribe.startSubscribe(builder);
  Subscribe.addPatterns(builder, list);
  if (since) {
    const [epoch, offset] = since.split("-");
    Subscribe.addSince(builder, Cursor.createCursor(builder, BigInt("0x" + epoch), BigInt(offset)));
  }
  const subscribe = Subscribe.endSubscribe(builder);
  Frame.startFrame(builder);
  Frame.addControlType(builder, Control.Subscribe);
  Frame.addControl(builder, subscribe);
  builder.finishSizePrefixed(Frame.endFrame(builder));
  return builder.asUint8Array();
}

module.exports = { decode, encode };
