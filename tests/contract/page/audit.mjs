// Opens each page in each way of looking at it; prints what is wrong and what it shows.
import { audit, browser, figures, given, open } from "./browser.mjs";

const looks = {
  light: {},
  dark: { scheme: "dark" },
  phone: { width: 320, height: 640 },
  "without script": { script: false },
};
const seen = [];
for (const [look, options] of Object.entries(looks)) {
  const { context, page, faults } = await open(options);
  for (const path of given.paths) {
    const answer = await page.goto(`${given.url}${path}`);
    const found = options.script === false ? [] : await audit(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) found.push(`${wide} pixels wider than the screen`);
    seen.push({
      look,
      path,
      status: answer.status(),
      found,
      faults: faults.splice(0),
      title: await page.title(),
      painted: await page.evaluate(() => document.body.innerText.length),
      ...(await figures(page)),
    });
    if (given.pictures) {
      const name = `${path.replace(/[^a-z0-9]+/gi, "-")}-${look.replace(" ", "-")}.png`;
      await page.screenshot({ path: `${given.pictures}/${name}`, fullPage: true });
    }
  }
  await context.close();
}
await browser.close();
console.log(JSON.stringify(seen));
