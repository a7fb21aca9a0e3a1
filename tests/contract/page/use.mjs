// Uses the pages as a person does: signs in, sorts, searches, hides amounts, prints, presses keys.
import { audit, browser, given, open } from "./browser.mjs";

const path = (page) => page.url().replace(given.url, "");
const said = {};

// Signs in on a form, without a script.
const signIn = async () => {
  const { context, page, faults } = await open({ script: false, signedIn: false });
  await page.goto(`${given.url}${given.list}`);
  said.asked = path(page);
  await page.fill("#key", "ledgerpost_wrong");
  await page.click("form .primary");
  said.refused = await page.locator('[role="alert"]').innerText();
  await page.fill("#key", given.key);
  await page.click("form .primary");
  said.arrived = path(page);
  said.title = await page.locator("h1").innerText();
  await page.locator("thead a", { hasText: "Customer" }).click();
  said.sorted = path(page);
  said.order = await page.locator("thead [aria-sort]").getAttribute("aria-sort");
  await page.fill('[name="q"]', given.search);
  await page.locator(".filters button").click();
  said.searched = path(page);
  said.found = await page.locator("tbody th").allInnerTexts();
  await page.locator("tbody td a").first().click();
  said.explained = path(page);
  await page.goto(`${given.url}${given.list}`);
  await page.fill("#period", "2024 Q4");
  await page.locator(".period button").click();
  said.period = path(page);
  said.days = await page.locator(".days").innerText();
  await page.check("#hide");
  said.hidden = await page.locator("tbody td a").first().evaluate((each) => getComputedStyle(each).fontSize);
  await page.locator("button", { hasText: "Sign out" }).click();
  said.left = path(page);
  await page.goto(`${given.url}${given.list}`);
  said.closed = path(page);
  said.faults = faults.filter((each) => !each.includes("403"));
  await context.close();
};

// Uses the keys.
const useKeys = async () => {
  const { context, page, faults } = await open();
  const key = async (...keys) => {
    for (const each of keys) await page.keyboard.press(each);
  };
  await page.goto(`${given.url}${given.list}`);
  await key("Tab");
  said.first = await page.evaluate(() => document.activeElement.className);
  await key("Enter");
  said.skipped = await page.evaluate(() => document.activeElement.id);
  await key("?");
  said.opened = await page.locator("#shortcuts").evaluate((each) => each.open);
  said.dialog = await audit(page);
  await key("Escape", "p");
  said.focus = await page.evaluate(() => document.activeElement.id);
  await key("h");
  said.typed = (await page.inputValue("#period")) === "h";
  await key("Escape", "h");
  said.covered = await page.isChecked("#hide");
  said.coveredAudit = await audit(page);
  await key("g");
  await Promise.all([page.waitForURL(`**${given.view.path}`), key(given.view.key)]);
  said.viewed = path(page);
  said.stillCovered = await page.isChecked("#hide");
  await page.goto(`${given.url}${given.list}`);
  await Promise.all([page.waitForNavigation(), key("[")]);
  said.before = path(page);
  await key("?");
  await page.uncheck("#use-keys");
  await key("Escape", "p");
  said.offFocus = await page.evaluate(() => document.activeElement.id);
  said.keyFaults = faults;
  await context.close();
};

// Prints.
const print = async () => {
  const { context, page, faults } = await open();
  await page.goto(`${given.url}${given.list}`);
  await page.emulateMedia({ media: "print" });
  const shown = (selector) => page.locator(selector).first().isVisible();
  said.printed = {
    paper: await page.locator("thead .onpaper").first().innerText(),
    definition: await shown("p.onpaper"),
    form: await shown(".filters"),
    tabs: await shown(".tabs"),
    table: await shown(".card.table tbody th"),
    faults,
  };
  await context.close();
};

// Shows a page of many rows without a script.
const paint = async () => {
  const { context, page, faults } = await open({ script: false, session: given.many.session });
  await page.goto(`${given.url}${given.many.path}`);
  const rows = page.locator(".card.table tbody tr");
  await rows.last().scrollIntoViewIfNeeded();
  said.painted = {
    rows: await rows.count(),
    last: await rows.last().locator("th").innerText(),
    shown: await rows.last().isVisible(),
    paints: await page.evaluate(() => performance.getEntriesByType("paint").map((each) => each.name)),
    faults,
  };
  await context.close();
};
await Promise.all([signIn(), useKeys(), print(), paint()]);
await browser.close();
console.log(JSON.stringify(said));
