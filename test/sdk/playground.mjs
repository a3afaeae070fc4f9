// Uses the playground in Chromium as somebody does who has just started the demo. Usage:
// node playground.mjs '{"chromium": path, "origin": url, "writeKey": …, "screenshots": folder}'.
// Prints {"requests": [url, …], "faults": [text, …], "first": answer, "live": answer}.

import { launch, watch } from './chromium.mjs';

const { chromium, origin, writeKey, screenshots } = JSON.parse(process.argv[2]);

const browser = await launch(chromium);
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const seen = watch(context);
const page = await context.newPage();
page.on('websocket', (socket) => seen.requests.push(socket.url()));

const run = page.getByRole('button', { name: /Execute query|Stop query/ });

/** What the response pane shows; empty while there is nothing. */
const response = () => page.evaluate(() => globalThis.__MONACO.editor.getModels().find((model) => model.uri.path.includes('response.json')).getValue());

/** Waits until the response pane shows a text. */
const shows = (text, timeout = 30_000) =>
  page.waitForFunction(
    (text) => globalThis.__MONACO.editor.getModels().find((model) => model.uri.path.includes('response.json')).getValue().includes(text),
    text,
    { timeout },
  );

// The first query, with the token that is filled in.
await page.goto(`${origin}/`);
await page.locator('.graphiql-query-editor .view-line:has-text("query FirstLook")').waitFor();
await run.click();
await shows('"individuals"');
const first = JSON.parse(await response());
await page.screenshot({ path: `${screenshots}/first.png` });

// The live tab, until an event that is sent arrives. When the subscription begins is not told, so it is sent until it does.
await page.getByRole('tab', { name: 'Live' }).click();
await page.locator('.graphiql-query-editor .view-line:has-text("subscription Live")').waitFor();
await run.click();
for (let n = 1; ; n++) {
  const sent = await fetch(`${origin}/v1/track`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Basic ${btoa(`${writeKey}:`)}` },
    body: JSON.stringify({ userId: 'visitor', event: 'Waved', messageId: `wave-${n}`, timestamp: new Date() }),
  });
  if (!sent.ok) throw new Error(`/v1/track: ${sent.status} ${await sent.text()}`);
  try {
    await shows('"Waved"', 1000);
    break;
  } catch (error) {
    if (n === 30) throw error;
  }
}
const live = JSON.parse(await response());
await page.screenshot({ path: `${screenshots}/live.png` });

await browser.close();
console.log(JSON.stringify({ ...seen, first, live }));
