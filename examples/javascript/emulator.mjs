// Copy this file: one tenant of a running voice-emulator for one test. It needs Node.js 18 and nothing else.
import assert from 'node:assert/strict';

const CONTROL = process.env.VOICE_EMULATOR_CONTROL ?? 'http://127.0.0.1:4881';
const TOKEN = process.env.VOICE_EMULATOR_CONTROL_TOKEN;

async function call(method, path, body) {
  const headers = TOKEN ? { authorization: `Bearer ${TOKEN}` } : {};
  if (body !== undefined) headers['content-type'] = typeof body === 'string' ? 'application/yaml' : 'application/json';
  const data = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const reply = await fetch(CONTROL + path, { method, headers, body: data });
  const text = await reply.text();
  assert.ok(reply.ok, `${method} ${path}: ${text}`);
  return text ? JSON.parse(text) : {};
}

/** A tenant on a manual clock, with credentials of its own. */
export class Emulator {
  static async start(receiver, provider = 'nxcloud') {
    const emulator = new Emulator();
    const made = await call('POST', '/v1/tenants', { clock: 'manual', callback_urls: { [provider]: receiver } });
    emulator.path = `/v1/tenants/${encodeURIComponent(made.id)}`;
    emulator.credentials = made.credentials[provider];
    emulator.url = (await call('GET', '/health')).traffic; // what the client uses in place of the provider's URL
    return emulator;
  }

  /** Put a scenario in force: the name of a shipped one, or YAML. */
  async load(scenario) {
    await call('PUT', `${this.path}/scenario`, scenario.includes('\n') ? scenario : { name: scenario });
  }

  /** Let seconds pass, or everything happen that is pending. Returns after the pushes were attempted. */
  async advance(seconds) {
    await call('POST', `${this.path}/clock/advance`, seconds === undefined ? { to: 'idle' } : { seconds });
  }

  /** The first push for a number: its fields, and how the receiver answered. */
  async waitForCallback(number, timeout = '5s') {
    const query = new URLSearchParams({ for: 'callbacks', number, timeout });
    const waited = await call('GET', `${this.path}/wait?${query}`);
    assert.ok(waited.satisfied, `no push for ${number} within ${timeout}`);
    return waited.items[0];
  }

  /** Fail where the client broke the provider's contract. */
  async assertNoViolations() {
    const { violations } = await call('GET', `${this.path}/violations?severity=error`);
    assert.deepEqual(violations.map((each) => `${each.rule}: ${each.message}`), []);
  }

  /** Assert, and only then delete the tenant: its findings go with it. */
  async stop() {
    try {
      await this.assertNoViolations();
    } finally {
      await call('DELETE', this.path);
    }
  }
}
