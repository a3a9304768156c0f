// The Node side of stompjs_test.py: client.mjs URL VERSION CASE... with tcp, tls, ws or wss. Exit
// code 0 when all was right; the first thing that was not is the failure.

import assert from 'node:assert/strict';
import net from 'node:net';
import readline from 'node:readline';
import tls from 'node:tls';
import { Client, Versions } from '@stomp/stompjs';
import WebSocket from 'ws';

const [url, version, ...wanted] = process.argv.slice(2);
const binary = Uint8Array.from({ length: 256 * 40 }, (_, index) => index % 256);
const large = '0123456789abcdef'.repeat(1 << 16); // 1 MiB

let running = 'nothing';

function giveUp(why) {
  console.log(`${running}: ${why}`);
  process.exit(1);
}

// What stompjs wants of a WebSocket, over a plain or TLS socket. NODE_EXTRA_CA_CERTS names whom
// to trust.
class StreamSocket {
  constructor(address) {
    const { protocol, hostname, port } = new URL(address);
    this.url = address;
    this.readyState = WebSocket.CONNECTING;
    const to = { host: hostname, port: Number(port) };
    const secure = protocol === 'tls:';
    this.socket = secure ? tls.connect(to) : net.connect(to);
    this.socket.setNoDelay(true);
    this.socket.on(secure ? 'secureConnect' : 'connect', () => {
      this.readyState = WebSocket.OPEN;
      this.onopen();
    });
    this.socket.on('data', (data) => this.onmessage({ data }));
    this.socket.on('error', (error) => this.onerror?.(error));
    this.socket.on('close', () => {
      this.readyState = WebSocket.CLOSED;
      this.onclose({ code: 1000, reason: '', wasClean: true });
    });
  }

  send(data) {
    this.socket.write(typeof data === 'string' ? data : Buffer.from(data));
  }

  close() {
    this.socket.end();
  }
}

function makeSocket() {
  const streams = url.startsWith('tcp:') || url.startsWith('tls:');
  if (streams) return new StreamSocket(url);
  return new WebSocket(url, new Versions([version]).protocolVersions());
}

// Values in the order of their coming, to be waited for.
class Arrivals {
  constructor() {
    this.values = [];
    this.waiting = [];
  }

  add(value) {
    const next = this.waiting.shift();
    if (next) next(value);
    else this.values.push(value);
  }

  next() {
    if (this.values.length > 0) return Promise.resolve(this.values.shift());
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  async take(count) {
    const taken = [];
    while (taken.length < count) taken.push(await this.next());
    return taken;
  }
}

class Peer {
  constructor(settings = {}) {
    this.connections = new Arrivals();
    this.unhandled = new Arrivals();
    this.beats = { sent: 0, received: 0 };
    this.receipts = 0;
    this.client = new Client({
      webSocketFactory: makeSocket,
      stompVersions: new Versions([version]),
      reconnectDelay: 0,
      heartbeatIncoming: 0,
      heartbeatOutgoing: 0,
      debug: (text) => this.count(text),
      onConnect: (frame) => this.connections.add(frame),
      onStompError: (frame) => giveUp(`ERROR: ${frame.headers.message}: ${frame.body}`),
      onUnhandledMessage: (message) => this.unhandled.add(message),
      ...settings,
    });
  }

  count(text) {
    if (text === '>>> PING') this.beats.sent += 1;
    if (text === '<<< PONG') this.beats.received += 1;
  }

  async connect() {
    this.client.activate();
    const frame = await this.connections.next();
    assert.equal(frame.headers.version ?? '1.0', version);
    return this;
  }

  receipt() {
    this.receipts += 1;
    const name = `receipt-${this.receipts}`;
    const came = new Promise((resolve) => this.client.watchForReceipt(name, resolve));
    return { headers: { receipt: name }, came };
  }

  async publish(body, headers = {}, destination = '/queue/q') {
    const receipt = this.receipt();
    const content = typeof body === 'string' ? { body } : { binaryBody: body };
    this.client.publish({ destination, ...content, headers: { ...headers, ...receipt.headers } });
    await receipt.came;
  }

  async subscribe(ack, headers = {}, destination = '/queue/q') {
    const messages = new Arrivals();
    const receipt = this.receipt();
    const all = { ack, ...headers, ...receipt.headers };
    messages.subscription = this.client.subscribe(destination, (message) => messages.add(message),
      all);
    await receipt.came;
    return messages;
  }

  leave() {
    return this.client.deactivate();
  }
}

const connect = (settings) => new Peer(settings).connect();
const bodies = (messages) => messages.map((message) => message.body);

// Everything that is left in the queue, as the next consumer sees it.
async function left() {
  const peer = await connect();
  const messages = await peer.subscribe('auto');
  await peer.publish('the end');
  const found = [];
  for (let message = await messages.next(); message.body !== 'the end';
    message = await messages.next()) found.push(message.body);
  await peer.leave();
  return found;
}

const cases = {
  async bodies_and_headers() {
    const peer = await connect();
    const messages = await peer.subscribe('auto');
    const sent = { city: 'Köln ✓' };
    if (version === '1.2') sent.escaped = 'c:\\d\ne'; // stompjs escapes values, and in 1.2 only
    for (const body of ['text', 'schön ✓', '']) {
      await peer.publish(body, sent);
      const message = await messages.next();
      assert.equal(message.body, body);
      for (const [name, value] of Object.entries(sent)) assert.equal(message.headers[name], value);
    }
    await peer.publish(binary);
    assert.deepEqual(Buffer.from((await messages.next()).binaryBody), Buffer.from(binary));
    await peer.publish(large);
    assert.equal((await messages.next()).body, large);
    await peer.leave();
  },

  async unsubscribe() {
    const peer = await connect();
    const messages = await peer.subscribe('auto');
    messages.subscription.unsubscribe();
    await peer.publish('kept');
    await peer.leave();
    assert.deepEqual(await left(), ['kept']);
    assert.equal(messages.values.length, 0);
  },

  async ack_client() {
    const peer = await connect();
    for (const body of '0123') await peer.publish(body);
    const messages = await (await peer.subscribe('client')).take(4);
    assert.deepEqual(bodies(messages), ['0', '1', '2', '3']);
    messages[1].ack();
    await peer.leave();
    assert.deepEqual(await left(), ['2', '3']);
  },

  async ack_individual_and_nack() {
    const peer = await connect();
    for (const body of '012') await peer.publish(body);
    const arrivals = await peer.subscribe('client-individual');
    const messages = await arrivals.take(3);
    messages[1].ack();
    if (version !== '1.0') {
      messages[0].nack();
      const again = await arrivals.next();
      assert.deepEqual([again.body, again.headers.redelivered], ['0', 'true']);
    }
    await peer.leave();
    assert.deepEqual(await left(), ['0', '2']);
  },

  async transactions() {
    const peer = await connect();
    await peer.publish('taken');
    const message = await (await peer.subscribe('client-individual')).next();
    const aborted = peer.client.begin();
    peer.client.publish({
      destination: '/queue/q', body: 'never', headers: { transaction: aborted.id },
    });
    message.ack({ transaction: aborted.id });
    aborted.abort();
    const committed = peer.client.begin();
    for (const body of ['one', 'two']) {
      peer.client.publish({
        destination: '/queue/other', body, headers: { transaction: committed.id },
      });
    }
    message.ack({ transaction: committed.id });
    const observer = await connect();
    const seen = await observer.subscribe('auto', {}, '/queue/other');
    await observer.publish('before', {}, '/queue/other');
    assert.equal((await seen.next()).body, 'before');
    committed.commit();
    assert.deepEqual(bodies(await seen.take(2)), ['one', 'two']);
    await Promise.all([peer.leave(), observer.leave()]);
    assert.deepEqual(await left(), []);
  },

  async heart_beats() {
    const peer = await connect({ heartbeatIncoming: 200, heartbeatOutgoing: 200 });
    while (peer.beats.sent < 4 || peer.beats.received < 4) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await peer.publish('still there');
    await peer.leave();
    assert.deepEqual(await left(), ['still there']);
  },

  async error() {
    const errors = new Arrivals();
    const peer = await connect({ onStompError: (frame) => errors.add(frame) });
    peer.client.publish({ destination: '/queue/q', body: 'x', headers: { transaction: 'none' } });
    const frame = await errors.next();
    assert.ok(frame.headers.message.length > 0 && frame.body.length > 0, frame.toString());
    await peer.leave();
  },

  async temporary_reply_queue() {
    const server = await connect();
    const requests = await server.subscribe('auto', {}, '/queue/requests');
    const peer = await connect();
    await peer.publish('ping', { 'reply-to': '/temp-queue/answers' }, '/queue/requests');
    const request = await requests.next();
    await server.publish('pong', {}, request.headers['reply-to']);
    const reply = await peer.unhandled.next();
    assert.deepEqual([reply.body, reply.headers.subscription], ['pong', '/temp-queue/answers']);
    await Promise.all([peer.leave(), server.leave()]);
  },

  // One frame over several WebSocket messages, and all of them binary.
  async split_and_binary() {
    for (const how of [{ splitLargeFrames: true, maxWebSocketChunkSize: 4096 },
      { forceBinaryWSFrames: true }]) {
      const peer = await connect(how);
      const messages = await peer.subscribe('auto');
      await peer.publish(large);
      assert.equal((await messages.next()).body, large);
      await peer.leave();
    }
  },

  async reconnect() {
    const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const peer = await connect({ reconnectDelay: 50 });
    await peer.publish('kept');
    console.log('sent');
    assert.equal((await lines.next()).value, 'it is back');
    await peer.connections.next();
    const messages = await peer.subscribe('client-individual');
    const message = await messages.next();
    assert.deepEqual([message.body, message.headers.redelivered], ['kept', 'true']);
    message.ack();
    await peer.leave();
  },
};

setTimeout(() => giveUp('it takes too long'), 50_000).unref();

for (const name of wanted) {
  running = name;
  try {
    await cases[name]();
  } catch (error) {
    giveUp(error.stack);
  }
}
process.exit(0);
