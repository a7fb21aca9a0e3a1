// Uses /docs as a person does: gives the key, opens the list, executes it, reads the answer.
// Prints what the page said, what it asked for and what the browser complained of.
import { chromium } from "playwright-core";

const [url, key, program, picture] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: program,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 1560 } });
const complaints = [];
const asked = [];
page.on("console", (line) => complaints.push(`${line.type()}: ${line.text()}`));
page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
page.on("request", (request) => asked.push(request.url()));
await page.addInitScript(() => {
  globalThis.violations = [];
  document.addEventListener("securitypolicyviolation", (event) =>
    globalThis.violations.push(`${event.violatedDirective}: ${event.blockedURI}`),
  );
});

await page.goto(`${url}/docs`);
const operations = page.locator(".opblock");
await operations.first().waitFor();
const shown = await operations.count();
if (picture) await page.screenshot({ path: picture });

await page.locator(".auth-wrapper .authorize").first().click();
await page.locator(".modal-ux input").fill(key);
await page.locator(".modal-ux .auth-btn-wrapper .authorize").click();
await page.locator(".modal-ux .btn-done").click();

const list = page.locator("#operations-Reports-listIncome");
await list.locator(".opblock-summary-control").click();
await list.locator("tr[data-param-name=from] input").fill("2024-11-01");
await list.locator("tr[data-param-name=to] input").fill("2024-11-30");
await list.locator("button.execute").click();
const live = list.locator(".live-responses-table .response").first();
await live.waitFor();
const status = (await live.locator(".response-col_status").innerText()).trim();
await live.locator(".highlight-code code").first().waitFor();
const body = await live.locator(".highlight-code code").first().innerText();
const violations = await page.evaluate(() => globalThis.violations);
await browser.close();
console.log(JSON.stringify({ shown, status, body, violations, complaints, asked }));
