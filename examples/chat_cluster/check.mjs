// What docs/scaling.md promises, seen from two pages in Chromium: they chat across nodes, and what happens to them when a node or Redis
// goes. `run --check` starts it, and does what it says on standard output: "kill a", "terminate b", "start redis".
//
// Nothing here waits for a time to pass: each step waits for what is to be seen, and fails if it is not seen within SOON.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { WebSocket } from 'ws';

const [url, redisPort, ...rest] = process.argv.slice(2);
const nodes = Object.fromEntries(rest.map((node) => node.split('=')));
const SOON = 20_000; // milliseconds; back-off may take some seconds by its nature
const SUBPROTOCOL = 'chat.v1';

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function order(what) {
  console.log(what);
  assert.equal((await answers.next()).value, 'done', `nobody did "${what}"`);
}

let begin = performance.now();
function passed(what) {
  console.log(`ok   ${what} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
  begin = performance.now();
}

/** A page, as one of its users sees it. */
class Member {
  static async come(browser, name) {
    const page = await browser.newPage({ viewport: { width: 560, height: 640 } });
    page.setDefaultTimeout(SOON);
    const member = Object.assign(new Member(), { name, page, faults: [], typed: 0 });
    page.on('pageerror', (error) => member.faults.push(error.message));
    // Back-off is drawn from here, so that a page can be made to wait.
    await page.addInitScript(() => {
      const { random } = Math;
      Math.random = () => globalThis.drawn ?? random();
    });
    await page.goto(`${url}/?room=lobby&name=${encodeURIComponent(name)}`);
    await member.is('open');
    return member;
  }

  /** Waits until the page shows a state; returns its node. */
  async is(state, node) {
    const selector = `body[data-state=${state}]${node ? `[data-node=${node}]` : ''}`;
    await this.page.locator(selector).waitFor({ state: 'attached' });
    return this.page.locator('body').getAttribute('data-node');
  }

  /** Types a line. It need not leave at once. */
  async says(text) {
    await this.page.fill('#text', text);
    await this.page.press('#text', 'Enter');
  }

  /** Waits until a text is in the room. */
  sees(text) {
    return this.page.locator('#log').getByText(text, { exact: true }).first().waitFor();
  }

  notes(text) {
    return this.page.locator('.notice', { hasText: text }).last().waitFor();
  }

  lines() {
    return this.page.locator('.said').evaluateAll((lines) => lines.map((line) => line.textContent));
  }

  texts() {
    return this.page.locator('.said .text').allTextContents();
  }

  async missed() {
    return Number(await this.page.locator('body').getAttribute('data-missed'));
  }
}

/** Both saw the last line, and everything once and in the same order. */
async function agree(ann, bob, last) {
  await Promise.all([ann.sees(last), bob.sees(last)]);
  assert.deepEqual(await ann.lines(), await bob.lines());
}

const numbered = (prefix, count) => Array.from({ length: count }, (_, i) => `${prefix} ${i}`);

async function chatsAcrossNodes(ann, bob) {
  const [first, second] = [await ann.is('open'), await bob.is('open')];
  assert.notEqual(first, second, 'HAProxy led both to one node');
  // Both at once, so that one has to agree with the other about the order.
  const fromAnn = numbered('from Ann', 10), fromBob = numbered('from Bob', 10);
  await Promise.all([fromAnn, fromBob].map(async (texts, i) => {
    for (const text of texts) await [ann, bob][i].says(text);
  }));
  await Promise.all([ann.sees('from Bob 9'), bob.sees('from Ann 9')]);
  await agree(ann, bob, 'from Ann 9');
  const texts = await ann.texts();
  assert.deepEqual(texts.filter((text) => text.startsWith('from Ann')), fromAnn);
  assert.deepEqual(texts.filter((text) => text.startsWith('from Bob')), fromBob);
  assert.equal(texts.length, 20);
  passed(`two pages on nodes ${first} and ${second} see the same in the same order`);
}

async function textIsText(ann, bob) {
  const markup = '<img src=x onerror="document.title=1"> <b>&amp;';
  await ann.says(markup);
  await bob.page.locator('.said .text', { hasText: markup }).waitFor();
  assert.equal(await bob.page.locator('#log img, #log b').count(), 0);
  assert.equal(await bob.page.title(), 'Chat');
  passed('markup is shown, and does nothing');
}

async function survivesAKill(ann, bob) {
  const [node, other] = [await ann.is('open'), await bob.is('open')];
  const before = await ann.texts();
  await order(`kill ${node}`);
  // While Ann is away, or just back: what she sees of it depends on how quick she is. What she misses she is told the number of.
  const meanwhile = numbered('meanwhile', 5);
  for (const text of meanwhile) await bob.says(text);
  await ann.is('open', other);
  const after = ['I am back.', 'It was kill -9.', 'My page found the other node.'];
  for (const text of after) await ann.says(text);
  await Promise.all([ann, bob].map((each) => each.sees(after.at(-1))));
  await bob.says('There you are.');
  await Promise.all([ann, bob].map((each) => each.sees('There you are.')));
  await bob.sees(meanwhile.at(-1));
  const [seenByAnn, seenByBob] = [await ann.texts(), await bob.texts()];
  const count = (texts, text) => texts.filter((each) => each === text).length;
  for (const text of [...after, 'There you are.']) {
    assert.deepEqual([count(seenByAnn, text), count(seenByBob, text)], [1, 1], text);
  }
  for (const text of meanwhile) assert.equal(count(seenByBob, text), 1, text);
  const shown = meanwhile.filter((text) => seenByAnn.includes(text)).length;
  assert.equal(shown + await ann.missed(), meanwhile.length, 'what was missed was counted');
  assert.equal(await bob.missed(), 0);
  assert.equal(seenByAnn.length, before.length + shown + after.length + 1, 'and nothing else');
  passed(`kill -9 of node ${node}: its page is back on ${other}, and missed ${await ann.missed()} of ${meanwhile.length}`);
  await order(`start ${node}`);
}

async function survivesRedis(ann, bob) {
  const shown = await Promise.all([ann.texts(), bob.texts()]);
  await order('terminate redis');
  await Promise.all([ann.is('partial'), bob.is('partial')]);
  await ann.says('said without Redis');
  await bob.says('this one too');
  await order('start redis');
  await Promise.all([ann.is('open'), bob.is('open')]);
  await Promise.all([ann, bob].map((each) => Promise.all([each.sees('said without Redis'), each.sees('this one too')])));
  await ann.says('and after it');
  await Promise.all([ann.sees('and after it'), bob.sees('and after it')]);
  const news = (await Promise.all([ann.texts(), bob.texts()])).map((texts, i) => texts.slice(shown[i].length));
  assert.deepEqual(news[0], news[1]);
  assert.deepEqual([...news[0]].sort(), ['and after it', 'said without Redis', 'this one too']);
  await Promise.all([ann.notes('counts anew'), bob.notes('counts anew')]);
  passed('a restart of Redis: both were told, and what was typed meanwhile arrived once');
}

async function survivesAHang(ann, bob) {
  const shown = await Promise.all([ann.texts(), bob.texts()]);
  await order('stop redis');
  // On its way to Redis while that hangs, so that nobody knows whether it is published, and it has to be sent again.
  await ann.says('said into the void');
  await Promise.all([ann.is('partial'), bob.is('partial')]);
  await order('continue redis');
  await Promise.all([ann.is('open'), bob.is('open')]);
  await Promise.all([ann, bob].map((each) => each.sees('said into the void')));
  await publish('lobby', [1, 2].map(() => ({ id: 'the same', name: 'Cem', node: 'none', text: 'published twice' })));
  await ann.says('said after it');
  await Promise.all([ann, bob].map((each) => each.sees('said after it')));
  const news = (await Promise.all([ann.texts(), bob.texts()])).map((texts, i) => texts.slice(shown[i].length));
  for (const texts of news) assert.deepEqual(texts, ['said into the void', 'published twice', 'said after it']);
  passed('Redis hangs for a while: it is noticed, and what is published twice because of that is shown once');
}

async function drains(ann, bob) {
  const node = await ann.is('open');
  const other = Object.keys(nodes).find((each) => each !== node);
  await isUp(other);
  const missed = await ann.missed();
  await ann.page.evaluate(() => (globalThis.drawn = 1_000_000));
  await order(`terminate ${node}`);
  await bob.is('open', other);
  await ann.notes(`lost node ${node}: 1001 this node is going away`);
  const alone = ['Ann?', 'Your node went away.', 'So did mine, and I am on the other one.'];
  for (const text of alone) await bob.says(text);
  await bob.sees(alone.at(-1));
  const late = 'I typed this while I was away.';
  await ann.says(late);
  await ann.is('waiting');
  await ann.page.evaluate(() => dispatchEvent(new Event('online')));
  await ann.is('open', other);
  await ann.notes('up to 3 messages missed');
  assert.equal(await ann.missed() - missed, alone.length);
  await bob.says('Welcome back!');
  await Promise.all([ann, bob].flatMap((each) => [each.sees(late), each.sees('Welcome back!')]));
  assert.ok(!(await ann.texts()).some((text) => alone.includes(text)));
  await order(`start ${node}`);
  passed(`SIGTERM of node ${node}: its pages moved to ${other}, and the one that was late missed what it was told`);
}

/** Waits until HAProxy would lead somebody to a node that was started. */
async function isUp(node) {
  const deadline = performance.now() + SOON;
  for (;;) {
    // Of new connections each goes to the node with the fewest, so one of a few comes to it.
    const { client, welcome } = await joined(url.replace('http', 'ws'), 'up');
    const parting = once(client, 'close');
    client.close();
    await parting;
    if (welcome.node === node) return;
    assert.ok(performance.now() < deadline, `HAProxy leads nobody to node ${node}`);
  }
}

/** A client that is no browser, in a room. */
async function joined(base, room) {
  const client = new WebSocket(`${base}/chat`, SUBPROTOCOL);
  const heard = [];
  let notify = () => {};
  client.on('message', (data) => {
    heard.push(JSON.parse(data));
    notify();
  });
  await once(client, 'open', { signal: AbortSignal.timeout(SOON) });
  client.send(JSON.stringify({ type: 'join', room, name: 'no browser' }));
  const hears = async (condition) => {
    while (!condition(heard)) await new Promise((resolve) => (notify = resolve));
  };
  await hears(() => heard.some((message) => message.position));
  return { client, heard, hears, welcome: heard[0] };
}

/** Publishes as nodes do, and past them: there they would hold it up, or refuse it. */
async function publish(room, messages) {
  const script = `return redis.call('PUBLISH', 'chat:room:${room}', redis.call('INCR', 'chat:seq:${room}') .. ' ' .. ARGV[1])`;
  const redis = net.connect(redisPort, '127.0.0.1');
  for (const message of messages) {
    const parts = ['EVAL', script, '0', JSON.stringify(message)];
    redis.write(`*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`);
    const [answer] = await once(redis, 'data', { signal: AbortSignal.timeout(SOON) });
    assert.match(`${answer}`, /^:\d+\r\n$/);
  }
  redis.destroy();
}

/** One that does not read is closed, and holds up nobody. */
async function closesTheSlow() {
  const base = `ws://127.0.0.1:${Object.values(nodes)[0]}`;
  const [slow, quick] = [await joined(base, 'flood'), await joined(base, 'flood')];
  slow.client.pause();
  // More than the buffers of sockets hold. Each waits until those before it are through.
  const text = 'x'.repeat(200_000);
  const count = 200;
  for (let seq = 1; seq <= count; seq += 1) {
    await publish('flood', [{ id: `${seq}`, name: 'flood', node: 'none', text }]);
    await quick.hears((heard) => heard.at(-1).seq === seq);
  }
  const end = once(slow.client, 'close', { signal: AbortSignal.timeout(SOON) });
  slow.client.resume();
  const [code] = await end;
  assert.equal(code, 1013);
  const seqs = quick.heard.filter((message) => message.type === 'said').map((message) => message.seq);
  assert.deepEqual(seqs, Array.from({ length: count }, (_, i) => i + 1));
  quick.client.close();
  passed('a member that does not read is closed with 1013, and nobody waits for it');
}

/** Asks for a WebSocket; returns the status of the answer. */
async function ask(fields) {
  const key = 'dGhlIHNhbXBsZSBub25jZQ==';
  const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key, ...fields };
  const request = http.request(`${url}/chat`, { headers }).end();
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => resolve(response.resume().statusCode));
    request.on('upgrade', (response, stream) => {
      stream.destroy();
      resolve(response.statusCode);
    });
  });
}

async function refuses() {
  const subprotocol = { 'Sec-WebSocket-Protocol': SUBPROTOCOL };
  assert.equal(await ask({ ...subprotocol, Origin: url }), 101);
  assert.equal(await ask({ ...subprotocol, Origin: 'https://elsewhere.example' }), 403);
  assert.equal(await ask({ Origin: url }), 400);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
  passed('pages of other origins and other subprotocols are refused');
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  const [ann, bob] = [await Member.come(browser, 'Ann'), await Member.come(browser, 'Bob')];
  passed('two pages are open');
  await refuses();
  await chatsAcrossNodes(ann, bob);
  await textIsText(ann, bob);
  await survivesAKill(ann, bob);
  await survivesRedis(ann, bob);
  await survivesAHang(ann, bob);
  await drains(ann, bob);
  if (process.env.SCREENSHOT) await ann.page.screenshot({ path: process.env.SCREENSHOT });
  await closesTheSlow();
  assert.deepEqual([...ann.faults, ...bob.faults], []);
} catch (error) {
  console.log(`FAIL ${error.stack}`);
  process.exitCode = 1;
} finally {
  await browser.close();
  process.stdin.destroy();
}
