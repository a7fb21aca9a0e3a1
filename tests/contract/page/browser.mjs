// A browser without a network, and pages in it that write down what is wrong with them.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const [url, session, program, plan] = process.argv.slice(2);

export const given = { url, ...JSON.parse(plan) };
export const browser = await chromium.launch({
  executablePath: program,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});

// A page of a browser that is signed in, with the list of what it did that it should not.
export const open = async (options = {}) => {
  const { width = 1280, height = 900, scheme = "light", script = true, signedIn = true } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    javaScriptEnabled: script,
    deviceScaleFactor: options.scale ?? 1,
  });
  if (signedIn) {
    const cookie = { name: "ledgerpost_session", value: options.session ?? session, url, sameSite: "Strict" };
    await context.addCookies([cookie]);
  }
  const page = await context.newPage();
  const faults = [];
  page.on("console", (line) => faults.push(`${line.type()}: ${line.text()}`));
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) faults.push(`asked ${request.url()}`);
  });
  await page.exposeFunction("note", (fault) => faults.push(fault));
  await page.addInitScript(() =>
    document.addEventListener("securitypolicyviolation", (event) =>
      globalThis.note(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    ),
  );
  if (script) await page.addInitScript({ content: axe });
  return { context, page, faults };
};

// What axe finds, one line for each element.
export const audit = (page) =>
  page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
    );
  });

// The first table of a page, and the figures above it.
export const figures = (page) =>
  page.evaluate(() => {
    const texts = (row) => [...row.cells].map((cell) => cell.textContent);
    const table = document.querySelector(".card.table table");
    const facts = [...document.querySelectorAll(".facts dd")];
    return {
      head: [...(table?.tHead.rows ?? [])].filter((row) => !row.className).map(texts)[0] ?? [],
      rows: [...(table?.tBodies[0].rows ?? [])].map(texts),
      foot: table?.tFoot ? texts(table.tFoot.rows[0]) : [],
      facts: Object.fromEntries(facts.map((fact) => [fact.dataset.name, fact.textContent])),
    };
  });
