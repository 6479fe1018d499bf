// Takes the README's picture of the gateway's page, with the demo behind it: gateway_picture.cjs CHROMIUM SWARM_DEMO FILE.webp
//
// WebP, which only Chromium's own protocol gives, takes half of what the same picture takes as PNG.
"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const readline = require("node:readline");
const { chromium } = require("playwright-core");

const [executablePath, demo, file] = process.argv.slice(2);
const SIZE = { width: 1200, height: 690 };
const COURSE_MS = 50_000; // the course of the rate is that of a minute
const PATIENCE_MS = 60_000;

// Where the demo says that it can be seen.
async function address(output) {
  for await (const line of readline.createInterface({ input: output })) {
    const found = line.match(/in a browser: (\S+)/);
    if (found) return found[1];
  }
  throw new Error("the demo shows nothing in browsers");
}

// The list of who is on the bus stays as it is when it has one that was killed, which is on it for less than a second.
async function keepDeadAgent(page) {
  let kept = false;
  await page.route("**/v1/participants", async route => {
    if (kept) return; // never answered
    const response = await route.fetch();
    kept = (await response.text()).includes('"state":"dead"');
    await route.fulfill({ response });
  });
  await page.waitForFunction(() => document.querySelector("#participants [data-state=dead]"), null, { timeout: PATIENCE_MS });
}

async function takePicture(url) {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: SIZE, colorScheme: "light" });
    await page.goto(url);
    await page.waitForTimeout(COURSE_MS);
    await keepDeadAgent(page);
    const protocol = await page.context().newCDPSession(page);
    const { data } = await protocol.send("Page.captureScreenshot", { format: "webp", quality: 85 });
    fs.writeFileSync(file, Buffer.from(data, "base64"));
  } finally {
    await browser.close();
  }
}

async function main() {
  const swarm = spawn(demo, ["--plain", "--seconds", "300"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise(resolve => swarm.on("close", resolve));
  try {
    const url = await address(swarm.stdout);
    swarm.stdout.resume();
    await takePicture(url);
  } finally {
    swarm.kill("SIGINT");
    await ended;
  }
}

main().catch(error => {
  console.error(`gateway_picture: ${error.message}`);
  process.exitCode = 1;
});
