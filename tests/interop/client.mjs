// A client for tests/interop/run: `node client.mjs ws|built-in URL PID` talks to the echo server at URL, whose
// process is PID. Prints one JSON line per check, [name, fault], with an empty fault where all is well.
//
// `ws` has the interface of the built-in WebSocket and more; the checks that need more come last but one.

import process from 'node:process';
import { WebSocket as Ws } from 'ws';

const [kind, url, pid] = process.argv.slice(2);
const WebSocket = kind === 'ws' ? Ws : globalThis.WebSocket;
const SECONDS = 30; // for one check, which takes milliseconds where nothing is wrong

async function open(protocols = []) {
  const socket = new WebSocket(url, protocols);
  socket.binaryType = 'arraybuffer';
  await event(socket, 'open');
  return socket;
}

// The next event of that type; a connection that ends before it is a fault.
function event(socket, type) {
  return new Promise((resolve, reject) => {
    socket.addEventListener(type, resolve, { once: true });
    socket.addEventListener('error', (e) => type !== 'close' && reject(new Error(e.message)));
    socket.addEventListener('close', (e) => reject(new Error(`closed with ${e.code} '${e.reason}' before '${type}'`)));
  });
}

function equal(what, seen, wanted) {
  if (seen !== wanted) throw new Error(`${what}: ${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`);
}

async function receiveEcho(socket, sent, send) {
  const message = event(socket, 'message');
  send();
  const { data } = await message;
  equal('type of the echo', typeof data, typeof sent);
  const [seen, wanted] = [Buffer.from(data), Buffer.from(sent)];
  equal('length of the echo', seen.length, wanted.length);
  equal('echo is what was sent', seen.equals(wanted), true);
}

async function echo(payload) {
  const socket = await open();
  await receiveEcho(socket, payload, () => socket.send(payload));
  await close(socket, 1000, '');
}

// The server may repeat our reason or leave it out, and must repeat the code (RFC 6455 section 5.5.1).
async function close(socket, code, reason) {
  const closed = event(socket, 'close');
  socket.close(code, reason);
  const seen = await closed;
  equal('close code', seen.code, code);
  if (seen.reason !== '') equal('close reason', seen.reason, reason);
}

async function closedByServer(code, provoke) {
  const socket = await open();
  const closed = event(socket, 'close');
  provoke(socket);
  equal('close code', (await closed).code, code);
}

async function check(name, steps) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${SECONDS} s`)), SECONDS * 1000);
  });
  const fault = await Promise.race([steps(), late]).then(() => '', (e) => e.message);
  clearTimeout(timer);
  console.log(JSON.stringify([name, fault]));
}

await check('text', () => echo('Grüße, 世界 🌍'));
await check('binary', () => echo(Uint8Array.from({ length: 256 }, (_, i) => i)));
await check('empty text', () => echo(''));
await check('empty binary', () => echo(new Uint8Array(0)));
await check('1 MiB text', () => echo('0123456789abcdef'.repeat(65536)));
await check('1 MiB binary', () => echo(Uint8Array.from({ length: 1 << 20 }, (_, i) => i * 31)));

await check('close code and reason', async () => close(await open(), 4321, 'genug für heute'));
await check('close without a code', () => closedByServer(1005, (socket) => socket.close()));

if (kind === 'ws') {
  await check('fragmented', async () => {
    const socket = await open();
    const pong = new Promise((resolve) => socket.once('pong', resolve));
    await receiveEcho(socket, 'one two', () => {
      socket.send('one', { fin: false });
      socket.ping('between');
      socket.send('', { fin: false });
      socket.send(' two', { fin: true });
    });
    equal('payload of the pong', String(await pong), 'between');
    await close(socket, 1000, '');
  });
  await check('ping', async () => {
    const socket = await open();
    const pong = new Promise((resolve) => socket.once('pong', resolve));
    socket.ping('are you there?');
    equal('payload of the pong', String(await pong), 'are you there?');
    await close(socket, 1000, '');
  });
  await check('subprotocol', async () => {
    // A server may take one of those offered, or none (RFC 6455 section 4.2.2); `ws` refuses any other, and none.
    const none = (error) => equal('fault', error.message, 'Server sent no subprotocol');
    const socket = await open(['chat', 'superchat']).catch(none);
    if (socket) await close(socket, 1000, '');
  });
  await check('invalid UTF-8: 1007', () =>
    closedByServer(1007, (socket) => socket.send(Buffer.from([0xce, 0xff]), { binary: false })));
  await check('unmasked frame: 1002', () =>
    closedByServer(1002, (socket) => socket.send('not masked', { mask: false })));
}

// Last, for it ends the server.
await check('shut down: 1001', () => closedByServer(1001, () => process.kill(pid, 'SIGINT')));
process.exit(); // at once, even if a check gave up on an open connection
