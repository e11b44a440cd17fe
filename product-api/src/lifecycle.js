import { setTimeout as delay } from 'node:timers/promises';

/** Longest wait for open requests after the drain period, milliseconds. */
const CLOSE_MS = 5000;
const SWEEP_MS = 50;

/**
 * From serving over draining to closed. Kubernetes takes a pod out of its Services while it already gets SIGTERM, so
 * requests still arrive for a while: draining means unready, but serving.
 */
export class Lifecycle {
  #drainSeconds;
  #draining = false;
  #openRequests = 0;

  /** @param {number} drainSeconds */
  constructor(drainSeconds) {
    this.#drainSeconds = drainSeconds;
  }

  get draining() {
    return this.#draining;
  }

  /** @type {import('express').RequestHandler} */
  track = (_request, response, next) => {
    this.#openRequests += 1;
    response.once('close', () => {
      this.#openRequests -= 1;
    });
    if (this.#draining) {
      response.set('Connection', 'close');
    }
    next();
  };

  /**
   * Drains, then closes `server` and its connections.
   *
   * @param {import('node:http').Server} server
   * @returns {Promise<number>} how many requests had to be cut off because they took too long
   */
  async shutDown(server) {
    this.#draining = true;
    await delay(this.#drainSeconds * 1000);
    await this.#close(server);
    const cutOff = this.#openRequests;
    server.closeAllConnections();
    return cutOff;
  }

  /**
   * Resolves when the last connection is closed, or after `CLOSE_MS`.
   *
   * @param {import('node:http').Server} server
   */
  async #close(server) {
    const closed = new Promise((resolve) => {
      server.close(resolve);
    });
    // A keep-alive connection whose request was open at that moment turns idle only later.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
    const bound = new AbortController();
    await Promise.race([closed, delay(CLOSE_MS, undefined, { signal: bound.signal }).catch(() => {})]);
    bound.abort();
    clearInterval(sweep);
  }
}
