import { once } from 'node:events';

import { createClient } from '@redis/client';

import { startChild } from './children.js';
import { until } from './poll.js';

/** Below the range from which the kernel takes source ports: a port that was left for a moment stays free. */
const PORTS = { first: 10_000, count: 20_000 };
const TRIES = 10;

/** A real Redis of the test's own, on a loopback port, without persistence. */
export class RedisServer {
  /** @type {ReturnType<typeof startChild> | undefined} */
  #child;

  /** @param {number} port */
  constructor(port) {
    this.port = port;
  }

  /**
   * @param {import('node:test').TestContext} t ends it
   * @returns {Promise<RedisServer>} one that answers
   */
  static async start(t) {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const server = new RedisServer(PORTS.first + Math.floor(Math.random() * PORTS.count));
      if (await server.start()) {
        t.after(() => server.stop());
        return server;
      }
    }
    throw new Error(`redis-server did not start on ${TRIES} ports: is the package redis-server installed?`);
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** @returns {Promise<boolean>} whether it runs and answers; false when the port is taken */
  async start() {
    const args = ['--bind', '127.0.0.1', '--port', String(this.port), '--save', '', '--appendonly', 'no'];
    const child = startChild('redis-server', args);
    await once(child, 'spawn');
    let running = true;
    child.once('close', () => {
      running = false;
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await until('redis accepts connections', () => !running || output.includes('Ready to accept connections'));
    this.#child = running ? child : undefined;
    return running;
  }

  async stop() {
    const child = this.#child;
    this.#child = undefined;
    if (child) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  }

  /** Connections stay, answers do not come. */
  freeze() {
    this.#child?.kill('SIGSTOP');
  }

  thaw() {
    this.#child?.kill('SIGCONT');
  }

  /**
   * @template T
   * @param {(client: ReturnType<typeof createClient>) => Promise<T>} use
   * @returns {Promise<T>}
   */
  async with(use) {
    const client = createClient({ url: this.url, socket: { reconnectStrategy: false } });
    client.on('error', () => {}); // the command's own rejection says it
    await client.connect();
    try {
      return await use(/** @type {ReturnType<typeof createClient>} */ (client));
    } finally {
      client.destroy();
    }
  }
}
