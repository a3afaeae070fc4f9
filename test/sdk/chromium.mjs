// Chromium as the tests start it: headless, and unable to find any site but the shop and this machine.

import { chromium } from 'playwright-core';

/** Starts Chromium. */
export function launch(executablePath) {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP shop.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
}

/** Notes every request of a browser context, and everything that its pages complain of. */
export function watch(context) {
  const seen = { requests: [], faults: [] };
  context.on('request', (request) => seen.requests.push(request.url()));
  context.on('console', (message) => {
    if (message.type() === 'error') seen.faults.push(`${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => seen.faults.push(String(error.error())));
  return seen;
}
