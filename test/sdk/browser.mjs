// Drives @segment/analytics-next in Chromium, on the pages of a shop that is another site than Acquaint. Usage:
// node browser.mjs '{"chromium": path, "shop": url, "acquaint": url, "test": url, "writeKey": …}'.
// Prints {"requests": [url, …], "faults": [text, …], "anonymousId": …}.

import { launch, watch } from './chromium.mjs';

const { chromium, shop, acquaint, test, writeKey } = JSON.parse(process.argv[2]);

const browser = await launch(chromium);
const context = await browser.newContext();
const seen = watch(context);
const page = await context.newPage();

/** Asks the test, which sees what passes between browser and Acquaint. */
async function ask(path, query) {
  const response = await fetch(`${test}/${path}?${new URLSearchParams(query)}`);
  if (!response.ok) throw new Error(`${path} ${query.name}: ${await response.text()}`);
}

/** Waits until so many messages of this name have left the browser. */
const sent = (name, count = 1) => ask('sent', { name, count });

/** Waits until Acquaint has acknowledged so many messages of this name. */
const landed = (name, count = 1) => ask('landed', { name, count });

/** Opens a page of the shop as somebody who came from elsewhere, and starts the SDK on it. */
async function visit(path, { referer, options } = {}) {
  await page.goto(shop + path, { referer });
  await page.evaluate(
    ([settings, options]) => {
      window.analytics = window.AnalyticsNext.AnalyticsBrowser.load(settings, options);
    },
    [{ writeKey, cdnURL: acquaint }, options],
  );
}

/** Calls the SDK and waits until it has tried to send. */
async function call(method, ...args) {
  await page.evaluate(([method, args]) => window.analytics[method](...args).then(() => undefined), [method, args]);
}

/** Calls the SDK and does not wait for it. */
async function begin(method, ...args) {
  await page.evaluate(([method, args]) => void window.analytics[method](...args), [method, args]);
}

// All six calls, with the host as the only setting, in a visit from a newsletter.
await visit('/landing?utm_source=newsletter&utm_medium=email&utm_campaign=spring&utm_term=shoes&utm_content=top');
await call('page', 'Shop', 'Landing');
await call('track', 'Product Viewed', { sku: 'a-1', price: 20 });
await call('alias', 'browser-user');
await call('identify', 'browser-user', { email: 'Browser.User@Example.com', plan: 'free' });
await call('group', 'group-7', { name: 'Example Inc' });
await call('screen', 'Wishlist', { items: 2 });
await call('track', 'Order Completed', { revenue: 19.9, currency: 'USD', products: [{ sku: 'a-1' }] });
const anonymousId = await page.evaluate(() => window.analytics.user().then((user) => user.anonymousId()));

// Where people come from, without campaigns.
await visit('/search', { referer: 'https://www.google.com/' });
await call('page', 'Searched');
await visit('/social', { referer: 'https://www.facebook.com/' });
await call('page', 'Socialised');
await visit('/advert?gclid=abc', { referer: 'https://www.google.com/' });
await call('page', 'Advertised');
await visit('/direct');
await call('page', 'Direct');
await visit('/inside', { referer: `${shop}/direct` });
await call('page', 'Inside');

// The other documented way to name the host.
const named = { apiHost: `${new URL(acquaint).host}/v1`, protocol: 'http' };
await visit('/named', { options: { integrations: { 'Segment.io': named } } });
await call('track', 'Named');

// An event that is refused, then kept with its answer lost, then acknowledged.
await call('track', 'Retried');
await landed('Retried', 2);

// The browser goes away with an event whose answer is still under way: the SDK sends it again from the next page.
await begin('track', 'Interrupted');
await landed('Interrupted');
await visit('/again');
await landed('Interrupted', 2);

// A batch that is sent because its page goes away.
await visit('/leaving', { options: { integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { size: 100, timeout: 600_000 } } } } } });
for (const n of [1, 2, 3]) await call('track', 'Batched', { n });
await page.goto('about:blank');
await landed('Batched', 3);

// A request that outlives its page: it reaches Acquaint when the page is gone.
await visit('/keepalive', { options: { integrations: { 'Segment.io': { deliveryStrategy: { config: { keepalive: true } } } } } });
await begin('track', 'Leaving');
await sent('Leaving');
await page.goto('about:blank');
await ask('release', { name: 'Leaving' });
await landed('Leaving');

// Cookies asked for, as the SDK's option has it.
await visit('/credentials', { options: { integrations: { 'Segment.io': { deliveryStrategy: { config: { credentials: 'include' } } } } } });
await call('track', 'Credentialed');
await landed('Credentialed');

// Beacons, by which pages without the SDK report, as text and as JSON.
for (const [event, type] of [['Beacon Text', undefined], ['Beacon JSON', 'application/json']]) {
  const taken = await page.evaluate(
    ([url, type, message]) => {
      const text = JSON.stringify({ ...message, timestamp: new Date(), sentAt: new Date() });
      return navigator.sendBeacon(url, type ? new Blob([text], { type }) : text);
    },
    [`${acquaint}/v1/t`, type, { writeKey, anonymousId, event, messageId: `beacon-${event}` }],
  );
  if (!taken) throw new Error(`${event}: the browser did not take it`);
  await landed(event);
}

await browser.close();
console.log(JSON.stringify({ ...seen, anonymousId }));
