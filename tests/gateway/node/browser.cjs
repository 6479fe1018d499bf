// A page in headless Chromium, driven by lines: each line of standard input is a command, answered by a line of JSON.
//
//     browser.cjs CHROMIUM
//
//     {"open": URL}          opens it as a new visitor, in place of the one before
//     {"evaluate": TEXT}     what this JavaScript gives in the page
//     {"click": SELECTOR}, {"fill": SELECTOR, "text": TEXT}
//     {"requests": true}     the URLs that were asked for so far
//     {"complaints": true}   what the console said of errors and warnings so far, and errors that nobody caught
"use strict";
const readline = require("node:readline");
const { chromium } = require("playwright-core");

async function main() {
  const browser = await chromium.launch({ executablePath: process.argv[2], args: ["--no-sandbox"] });
  let page, requests, complaints;

  const open = async url => {
    await page?.close();
    page = await browser.newPage();
    const asked = requests = [], said = complaints = [];
    page.on("request", request => asked.push(request.url()));
    page.on("websocket", socket => asked.push(socket.url()));
    page.on("console", message => ["error", "warning"].includes(message.type()) && said.push(message.text()));
    page.on("pageerror", error => said.push(String(error)));
    return (await page.goto(url)).status();
  };
  const answer = async command => {
    if (command.open) return open(command.open);
    if (command.evaluate) return page.evaluate(command.evaluate);
    if (command.click) return page.click(command.click);
    if (command.fill) return page.fill(command.fill, command.text);
    return command.requests ? requests : complaints;
  };
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const told = await answer(JSON.parse(line)).then(value => ({ value: value ?? null }), error => ({ error: error.message }));
    process.stdout.write(JSON.stringify(told) + "\n");
  }
  await browser.close();
}

main();
