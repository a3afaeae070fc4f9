// Drives @segment/analytics-node. Usage: node node.mjs '{"host": …, "writeKey": …, "scenario": "calls" | "batches"}'.
// Prints what the SDK says became of each call: {"delivered": n, "failed": ["reason", …]}.

import { Analytics } from '@segment/analytics-node';

const { host, writeKey, scenario } = JSON.parse(process.argv[2]);
const outcome = { delivered: 0, failed: [] };

/** Counts what the SDK says when it is done with a call. */
function settled(error) {
  if (error) outcome.failed.push(String(error.reason ?? error));
  else outcome.delivered++;
}

const scenarios = {
  /** All six calls, with the SDK's own defaults: one person, first without a name. */
  async calls() {
    const analytics = new Analytics({ writeKey, host });
    const anonymousId = 'node-anonymous';
    const userId = 'node-user';
    const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000);
    analytics.page({ anonymousId, name: 'Pricing', category: 'Docs', timestamp: yesterday, properties: { url: 'https://shop.example/pricing' } }, settled);
    analytics.alias({ previousId: anonymousId, userId }, settled);
    analytics.identify(
      { userId, anonymousId, traits: { email: 'Node.User@Example.com', plan: 'pro', seats: 3, address: { city: 'Zürich' } }, context: { externalIds: [{ id: 'crm-77', type: 'crm' }] } },
      settled,
    );
    await analytics.flush(); // what follows is another batch
    analytics.track(
      { userId, event: 'Order Completed', properties: { revenue: 49.5, currency: 'EUR', products: [{ sku: 'a' }, { sku: 'b' }] }, context: { campaign: { name: 'spring', source: 'google', medium: 'cpc' } } },
      settled,
    );
    analytics.screen({ userId, name: 'Basket', properties: { items: 2 }, context: { device: { id: 'node-device' } } }, settled);
    analytics.group({ userId, groupId: 'group-9', traits: { name: 'Example Ltd', employees: 40 } }, settled);
    await analytics.closeAndFlush();
  },

  /** 5,000 events in batches of 500, of 50 people. */
  async batches() {
    const analytics = new Analytics({ writeKey, host, flushAt: 500 });
    for (let n = 0; n < 5000; n++) {
      analytics.track({ userId: `many-${n % 50}`, event: 'Ticked', properties: { n } }, settled);
    }
    await analytics.closeAndFlush();
  },
};

await scenarios[scenario]();
console.log(JSON.stringify(outcome));
