// A SMART app in a browser: npm fhirclient on a page of its own origin logs in on the sandbox's page, reads patients, writes one.
import { createServer } from "node:http";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const { SANDBOX, STORE, CLIENT_ID, CLIENT_SECRET, LOGIN, PASSWORD, CALLBACK, CHROMIUM } = process.env;
const app = `
import FHIR from "fhirclient";
async function main() {
  if (!new URLSearchParams(location.search).has("code")) {
    if (location.search.includes("start")) {
      await FHIR.oauth2.authorize({
        iss: "${SANDBOX}/datastore/${STORE}/r4", clientId: "${CLIENT_ID}", clientSecret: "${CLIENT_SECRET}",
        scope: "openid launch/patient patient/*.read system/*.*", redirectUri: "${CALLBACK}", pkceMode: "required",
      });
    }
    return;
  }
  const client = await FHIR.oauth2.ready();
  const bundle = await client.request("Patient?_count=5");
  const all = await client.request("Patient?_count=20", { pageLimit: 0, flat: true });
  const made = await fetch(client.state.serverUrl + "/Patient", {
    method: "POST", body: JSON.stringify({ resourceType: "Patient", name: [{ family: "Browser" }] }),
    headers: { "content-type": "application/fhir+json", authorization: "Bearer " + client.state.tokenResponse.access_token },
  });
  return { entries: bundle.entry.length, all: all.length, made: made.status, location: made.headers.get("location"), etag: made.headers.get("etag") };
}
main().then((result) => { if (result) window.result = result; }, (error) => { window.result = { error: String(error && error.stack || error) }; });
`;
const bundled = await build({
  stdin: { contents: app, resolveDir: import.meta.dirname }, bundle: true, write: false, platform: "browser", format: "iife",
  define: { "process.env.NODE_ENV": '"production"', global: "window" },
});
const script = bundled.outputFiles[0].text;
const server = createServer((request, response) => {
  const isScript = request.url.startsWith("/app.js");
  response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
  response.end(isScript ? script : "<!doctype html><title>app</title><script src=/app.js></script>");
});
await new Promise((done) => server.listen(new URL(CALLBACK).port, "localhost", done));

const context = await chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), "chromium-")), {
  executablePath: CHROMIUM, headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await context.newPage();
const hosts = new Set();
page.on("request", (request) => hosts.add(new URL(request.url()).origin));
page.on("console", (message) => message.type() === "error" && console.error("console:", message.text()));
let failed = true;
try {
  await page.goto(CALLBACK + "?start");
  await page.waitForURL(/\/login\?/);
  console.log("log-in page at", new URL(page.url()).origin);
  await page.fill("#username", LOGIN);
  await page.fill("#password", PASSWORD);
  await page.click("button[type=submit]");
  await page.waitForFunction("window.result");
  const result = await page.evaluate("window.result");
  console.log(JSON.stringify(result));
  console.log("asked:", [...hosts].sort().join(" "));
  const wanted = [new URL(CALLBACK).origin, SANDBOX].sort().join(" ");
  failed = result.error || result.made !== 201 || !result.etag || !result.location.startsWith(SANDBOX) || [...hosts].sort().join(" ") !== wanted;
} finally {
  await context.close();
  server.close();
}
process.exit(failed ? 1 : 0);
