// Opens each page in each way of looking at it; prints what is wrong and what it shows.
import { audit, browser, figures, given, open } from "./browser.mjs";

const looks = {
  light: {},
  dark: { scheme: "dark" },
  phone: { width: 320, height: 640 },
  "without script": { script: false },
};

// The large figures that do not fit into their place.
const broken = () =>
  [...document.querySelectorAll(".facts dd")]
    .filter((each) => each.offsetHeight > 1.5 * parseFloat(getComputedStyle(each).fontSize))
    .map((each) => each.textContent);

// What one context sees of each page, one page after the other.
const look = async ([name, options]) => {
  const { context, page, faults } = await open(options);
  const seen = [];
  for (const path of given.paths) {
    const answer = await page.goto(`${given.url}${path}`);
    const found = options.script === false ? [] : await audit(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) found.push(`${wide} pixels wider than the screen`);
    found.push(...(await page.evaluate(broken)).map((figure) => `${figure} on two lines`));
    seen.push({
      look: name,
      path,
      status: answer.status(),
      found,
      faults: faults.splice(0),
      title: await page.title(),
      painted: await page.evaluate(() => document.body.innerText.length),
      ...(await figures(page)),
    });
    if (given.pictures) {
      const picture = `${path.replace(/[^a-z0-9]+/gi, "-")}-${name.replace(" ", "-")}.png`;
      await page.screenshot({ path: `${given.pictures}/${picture}`, fullPage: true });
    }
  }
  await context.close();
  return seen;
};

const seen = await Promise.all(Object.entries(looks).map(look));
await browser.close();
console.log(JSON.stringify(seen.flat()));
