// Run with `node --test` while an emulator runs (`voice-emulator serve`).
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { Emulator } from './emulator.mjs';
import { Reminders } from './reminders.mjs';

const PHONE = '6281200010000';
const LOST = 'name: lost\nrules:\n  - name: no receipt comes\n    receipt: {lost: true}\n';
let server, emulator, reminders;

beforeEach(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const query = new URL(request.url, 'http://receiver').searchParams;
    response.end(reminders.receipt(Object.fromEntries([...query, ...new URLSearchParams(body)])));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  emulator = await Emulator.start(`http://127.0.0.1:${server.address().port}/receipts`);
  reminders = new Reminders(emulator.url, emulator.credentials.appkey, emulator.credentials.secretkey);
});

afterEach(async () => {
  try {
    await emulator.stop();
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('an answered call is settled by its receipt', async () => {
  await reminders.remind(PHONE);
  assert.equal(reminders.state(PHONE), 'called');
  await emulator.advance(60);
  assert.equal((await emulator.waitForCallback(PHONE)).outcome, 'delivered');
  assert.equal(reminders.state(PHONE), 'answered');
});

test('a receipt that comes twice is charged once', async () => {
  await emulator.load('duplicate-receipts');
  await reminders.remind(PHONE);
  await emulator.advance();
  assert.equal(reminders.bill, 0.036);
});

test('a lost receipt is reconciled', async () => {
  await emulator.load(LOST);
  await reminders.remind(PHONE);
  await emulator.advance();
  assert.equal(reminders.state(PHONE), 'called');
  await reminders.reconcile();
  assert.equal(reminders.state(PHONE), 'answered');
  assert.equal(reminders.bill, 0.036);
});
