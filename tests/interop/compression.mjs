// The other end of compression.py, made of `ws`:
//
// `node compression.mjs server` is an echo server that agrees to what the query of a request says; it prints its
// address. `node compression.mjs client URL COMBINATIONS` opens a connection to URL for each combination, and prints one
// JSON line for each, [label, fault], with an empty fault where all is well.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import process from 'node:process';
import { WebSocket, WebSocketServer } from 'ws';

const [role, url, combinations] = process.argv.slice(2);
const SECONDS = 60; // for one connection, which takes a second

function serve() {
  const servers = new Map(); // by query: one for each set of parameters
  function of(query) {
    const bits = Number(query.get('bits')) || undefined;
    const perMessageDeflate = {
      threshold: 0,
      serverNoContextTakeover: query.get('server') === '1' || undefined,
      clientNoContextTakeover: query.get('client') === '1' || undefined,
      serverMaxWindowBits: bits,
      clientMaxWindowBits: bits,
    };
    return new WebSocketServer({ noServer: true, perMessageDeflate });
  }
  const server = createServer();
  server.on('upgrade', (request, stream, head) => {
    const { search, searchParams } = new URL(request.url, 'ws://server');
    if (!servers.has(search)) servers.set(search, of(searchParams));
    servers.get(search).handleUpgrade(request, stream, head, (socket) => {
      socket.on('message', (data, binary) => socket.send(data, { binary }));
      socket.on('error', (error) => console.log(`error ${error.message}`));
    });
  });
  server.listen(0, '127.0.0.1', () => console.log(`listening on ws://127.0.0.1:${server.address().port}`));
}

// Lines of text, so many characters, none of them cut.
const line = (_, i) => `${i} Grüße, 世界 🌍\n`;
const text = (size) => [...Array.from({ length: size / 9 + 1 }, line).join('')].slice(0, size).join('');

async function talk({ target, serverNone, clientNone, bits }) {
  const perMessageDeflate = {
    threshold: 0,
    serverNoContextTakeover: serverNone,
    clientNoContextTakeover: clientNone || undefined,
    serverMaxWindowBits: bits ?? undefined,
    clientMaxWindowBits: bits ?? undefined,
  };
  const socket = new WebSocket(url + target, { perMessageDeflate });
  const sent = [];
  await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`not done after ${SECONDS} s`)), SECONDS * 1000).unref();
    socket.on('error', reject);
    socket.on('close', (code) => reject(new Error(`closed with ${code} and ${sent.length} echoes missing`)));
    socket.on('message', (data, binary) => {
      const wanted = sent.shift();
      if (binary !== (typeof wanted !== 'string')) reject(new Error('an echo of another type'));
      if (!data.equals(Buffer.from(wanted))) reject(new Error(`an echo of ${wanted.length} is not what was sent`));
      if (sent.length === 0) resolve();
    });
    socket.on('open', () => {
      const send = (data) => {
        sent.push(data);
        socket.send(data);
      };
      for (const size of [0, 1, 125, 126, 1024, 65536, 1 << 20]) {
        send(text(size));
        send(randomBytes(size));
      }
      for (let i = 0; i < 20; i += 1) send(JSON.stringify(Array(20).fill({ id: i, name: 'Grüße' })));
      sent.push('in pieces, 一片一片, '.repeat(100));
      for (const piece of sent.at(-1).match(/[^]{1,300}/gu)) socket.send(piece, { fin: false });
      socket.send('', { fin: true });
    });
  });
  await new Promise((resolve) => {
    socket.removeAllListeners('close');
    socket.on('close', resolve);
    socket.close(1000);
  });
}

if (role === 'server') {
  serve();
} else {
  for (const combination of JSON.parse(combinations)) {
    const fault = await talk(combination).then(() => '', (error) => error.message);
    console.log(JSON.stringify([combination.label, fault]));
  }
}
