import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { startChild } from './children.js';
import { fetchText } from './http.js';
import { until } from './poll.js';
import { stamp, unstampedTree } from './release.js';

/** Nothing listens on port 1. */
export const NO_REDIS = 'redis://127.0.0.1:1';

/** @typedef {Record<string, any>} LogLine */

/**
 * @typedef {object} Start
 * @property {string} [version] release to build; 1.0.0 if not given
 * @property {import('./redis.js').RedisServer} [redis] without one, Redis is away
 * @property {Record<string, string>} [env] settings on top of a free port and all log lines
 */

/** The whole service as a process of its own: `dist/index.js` of a built release. */
export class Service {
  /** @type {LogLine[]} */
  logs = [];
  /** @type {string[]} */
  output = [];
  #port = 0;

  /**
   * @param {string} tree
   * @param {Record<string, string>} env
   */
  constructor(tree, env) {
    this.child = startChild(process.execPath, [path.join(tree, 'dist/index.js')], env);
    /** @type {Promise<number | null>} exit code, null when a signal ended it */
    this.exited = once(this.child, 'close').then(([code]) => code);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface(stream).on('line', (line) => this.#onLine(line));
    }
  }

  /**
   * @param {import('node:test').TestContext} t ends it
   * @param {Start} [options]
   * @returns {Promise<Service>} one that listens
   */
  static async start(t, options = {}) {
    const service = await Service.launch(t, options);
    await until(`the service listens\n${service.output.join('\n')}`, () => {
      if (service.child.exitCode !== null) {
        throw new Error(`the service ended:\n${service.output.join('\n')}`);
      }
      return service.#port;
    });
    return service;
  }

  /**
   * @param {import('node:test').TestContext} t
   * @param {Start} [options]
   * @returns {Promise<Service>} one that may or may not come up
   */
  static async launch(t, { version = '1.0.0', redis, env } = {}) {
    const tree = await unstampedTree(t);
    await stamp(tree, version);
    const service = new Service(tree, { PORT: '0', LOG_LEVEL: 'debug', REDIS_URL: redis?.url ?? NO_REDIS, ...env });
    t.after(async () => {
      service.child.kill('SIGKILL');
      await service.exited;
    });
    return service;
  }

  get port() {
    return this.#port;
  }

  /** @param {string} target */
  url(target) {
    return `http://127.0.0.1:${this.#port}${target}`;
  }

  /**
   * Asks on a fresh connection.
   *
   * @param {string} target
   */
  async get(target) {
    const { status, headers, text } = await fetchText(this.url(target));
    return { status, headers, body: JSON.parse(text) };
  }

  /** Waits until /ready says yes. */
  async ready() {
    await until('the service is ready', async () => (await this.get('/ready')).status === 200);
  }

  /**
   * @param {string} series name with labels as in the exposition format, in its order
   * @returns {Promise<number | undefined>} undefined when there is no such series
   */
  async metric(series) {
    const { text } = await fetchText(this.url('/metrics'));
    const line = text.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length));
  }

  /** @param {string} line */
  #onLine(line) {
    this.output.push(line);
    if (line.startsWith('{')) {
      const entry = JSON.parse(line);
      this.logs.push(entry);
      this.#port = entry.message === 'listening' ? entry.address.port : this.#port;
    }
  }
}
