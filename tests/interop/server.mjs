// An echo server for tests/interop/run, made of `ws`. Prints its address, and `closed CODE REASON` at the end of each
// connection.

import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
server.on('listening', () => console.log(`listening on ws://127.0.0.1:${server.address().port}`));
server.on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
  socket.on('error', (error) => console.log(`error ${error.message}`));
  socket.on('close', (code, reason) => console.log(`closed ${code} ${reason}`));
});
