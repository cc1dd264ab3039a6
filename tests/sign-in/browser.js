// The person's side: a Chromium that sees nothing but loopback, and the pages it is led through.
const assert = require("node:assert/strict");
const { join } = require("node:path");

const { chromium } = require("playwright-core");

const ARGUMENTS = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
  // The provider's pages ask for a font of the web's.
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

// Far more than any page needs here, and less than the test: what the page was then is said in the error.
const STEP_MS = 20_000;

/** Chromium in a profile of its own; it has no sandbox, because root's cannot have one. */
const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGUMENTS });

/** A page in a new profile: nobody is signed in. */
async function newPage(t, browser) {
  const context = await browser.newContext();
  context.setDefaultTimeout(STEP_MS);
  t.after(() => context.close());
  return context.newPage();
}

/** Pictures of a page: of a telephone's width and of a desk's, light and dark. Nothing lies beside the screen. */
async function screenshot(page, name) {
  for (const width of [375, 1280]) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize({ width, height: 700 });
      await page.emulateMedia({ colorScheme });
      const path = join(process.env.SCREENSHOTS, `${name}-${width}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
      const beside = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      assert.ok(beside <= 0, `${name} is ${beside} pixels wider than ${width}`);
    }
  }
}

/** Signs in on the provider's first page; the second one asks for consent. */
async function signIn(page, url, email) {
  await page.goto(url);
  await page.fill("input[name=login]", email);
  await page.fill("input[name=password]", "any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("heading", { name: "Authorize" }).waitFor();
}

const consent = (page) => page.getByRole("button", { name: "Continue" }).click();
const cancel = (page) => page.getByRole("link", { name: "Cancel" }).click();

/** The page that the browser ends on: its words, its source, and the answer that brought it. */
async function finalPage(page, redirectUri) {
  await page.waitForURL((url) => url.href.startsWith(redirectUri));
  assert.ok(await page.title(), "a page has a title");
  assert.ok(await page.locator("html").getAttribute("lang"), "a page names its language");
  return { words: await page.locator("body").innerText(), source: await page.content() };
}

/** Like a machine that is reached by SSH: nobody listens there, and the address bar is all there is. */
async function deadEnd(page, redirectUri) {
  const session = await page.context().newCDPSession(page);
  const reached = new Promise((resolve) => {
    session.on("Fetch.requestPaused", async ({ requestId, request }) => {
      await session.send("Fetch.failRequest", { requestId, errorReason: "ConnectionRefused" });
      resolve(request.url);
    });
  });
  await session.send("Fetch.enable", { patterns: [{ urlPattern: `${redirectUri}*` }] });
  return { reached };
}

module.exports = { launch, newPage, screenshot, signIn, consent, cancel, finalPage, deadEnd };
