// Reminds people by phone. NXCloud places the calls; its receipts, or its record query, say how they ended.

const AUDIO = 'https://files.example.com/appointment.mp3';
/** The planted bug: every receipt is charged, also one that came before. */
const BUG = process.env.REMINDERS_BUG === '1';

export class Reminders {
  #url;
  #keys;
  #calls = new Map(); // by message id and number: called, answered, missed
  #bill = 0; // in millionths

  constructor(url, appkey, secretkey) {
    this.#url = url;
    this.#keys = { appkey, secretkey };
  }

  get bill() {
    return this.#bill / 1e6;
  }

  /** Place a call. */
  async remind(phone) {
    const form = { phone, country_code: '62', show_phone: '1234567890', url: AUDIO };
    const reply = await this.#post('/api/voiceSms/gpsend', form);
    if (reply.code !== '0') throw new Error(`NXCloud refused: ${JSON.stringify(reply)}`);
    const key = `${reply.messageid} ${phone}`;
    if (!this.#calls.has(key)) this.#calls.set(key, 'called'); // its receipt may have been faster
  }

  /** A receipt came; returns what NXCloud wants to read. */
  receipt(fields) {
    const answered = fields.hangup_cause === 'NORMAL_CLEARING';
    this.#settle(`${fields.messageid} ${fields.phone}`, answered, fields.customer_price, fields.size);
    return 'success';
  }

  /** Ask for the records of calls whose receipt is missing. */
  async reconcile() {
    const [start_time, end_time] = [-1, 2].map(
      (days) => `${new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)} 00:00:00`,
    );
    for (const [key, state] of this.#calls) {
      if (state !== 'called') continue;
      const [messageid, phone] = key.split(' ');
      const form = { voiceType: '0', messageid, start_time, end_time, page_size: '10', page: '1' };
      const reply = await this.#post('/api/voiceSms/getVoiceCdr', form);
      // Records have the number without the country code.
      for (const row of reply.info.rows.filter((each) => phone.endsWith(each.phone))) {
        this.#settle(key, row.result === 'Successful connection', row.customer_price, row.size);
      }
    }
  }

  state(phone) {
    return [...this.#calls].find(([key]) => key.endsWith(` ${phone}`))?.[1];
  }

  #settle(key, answered, price, size) {
    if ((this.#calls.get(key) ?? 'called') !== 'called' && !BUG) return; // the same receipt again
    this.#calls.set(key, answered ? 'answered' : 'missed');
    if (answered) this.#bill += Math.round(Number(price) * 1e6) * Number(size);
  }

  async #post(path, form) {
    const body = new URLSearchParams({ ...this.#keys, ...form });
    const reply = await fetch(this.#url + path, { method: 'POST', body, signal: AbortSignal.timeout(10_000) });
    return reply.json();
  }
}
