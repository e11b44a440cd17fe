import { createClient } from '@redis/client';

/** Longest wait for an answer of Redis, milliseconds. A sidecar answers in less than one, so this says "stuck". */
const ANSWER_MS = 500;
const CONNECT_MS = 1000;
const RECONNECT_MS = 250;

/**
 * Read-through cache in Redis. It never fails a read and never holds one up for longer than `ANSWER_MS`: when Redis is
 * away, values come from their source, and the connection comes back by itself.
 */
export class Cache {
  #client;
  #ttlSeconds;
  #metrics;
  #logger;
  #away = true;
  #stuck = false;

  /**
   * @param {object} options
   * @param {string} options.url
   * @param {number} options.ttlSeconds
   * @param {import('./metrics.js').Metrics} options.metrics
   * @param {import('winston').Logger} options.logger
   */
  constructor({ url, ttlSeconds, metrics, logger }) {
    this.#ttlSeconds = ttlSeconds;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#client = createClient({
      url,
      disableOfflineQueue: true, // a read must not wait for a connection
      socket: { connectTimeout: CONNECT_MS, reconnectStrategy: () => RECONNECT_MS },
    });
    this.#client.on('ready', () => this.#onReady());
    this.#client.on('error', (error) => this.#onError(error));
  }

  /** Connects in the background, for as long as it takes. */
  connect() {
    this.#logger.info('connecting to redis');
    // The client retries by itself; the promise fails only when close() ends that.
    this.#client.connect().catch((error) => this.#logger.debug('redis connection given up', { reason: error.message }));
  }

  close() {
    this.#client.destroy();
  }

  /** @returns {Promise<string | undefined>} why Redis cannot be used now; undefined when it answers */
  async absence() {
    try {
      await this.#ask(() => this.#client.ping());
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  }

  /**
   * Value under `key`, or else the one that `load` gives, which is then kept for the TTL.
   *
   * @template T
   * @param {string} key
   * @param {() => T | undefined} load gives undefined for what does not exist, which is not kept
   * @returns {Promise<T | undefined>}
   */
  async through(key, load) {
    const kept = await this.#read(key);
    if (kept !== undefined) {
      this.#metrics.cacheHits.inc();
      return kept;
    }
    this.#metrics.cacheMisses.inc();
    const value = load();
    if (value !== undefined) {
      this.#keep(key, value);
    }
    return value;
  }

  /**
   * @param {string} key
   * @returns {Promise<any>} undefined when Redis has no usable value
   */
  async #read(key) {
    try {
      const text = await this.#ask(() => this.#client.get(key));
      return text === null ? undefined : JSON.parse(text);
    } catch (error) {
      this.#logger.debug('not read from the cache', { key, reason: reasonOf(error) });
      return undefined;
    }
  }

  /**
   * Not awaited by the read it follows: the next read on this connection comes after it in any case.
   *
   * @param {string} key
   * @param {unknown} value
   */
  #keep(key, value) {
    this.#ask(() => this.#client.set(key, JSON.stringify(value), { EX: this.#ttlSeconds })).catch((error) =>
      this.#logger.debug('not kept in the cache', { key, reason: reasonOf(error) }),
    );
  }

  /**
   * Sends one command and waits for its answer, but not for longer than `ANSWER_MS`. After a late one nothing more is
   * sent until it has come, so a stuck Redis delays one read, not each, and no commands pile up.
   *
   * @template T
   * @param {() => Promise<T>} command
   * @returns {Promise<T>}
   */
  async #ask(command) {
    if (!this.#client.isReady) {
      throw new Error('redis is not connected');
    }
    if (this.#stuck) {
      throw new Error('redis does not answer');
    }
    const answer = command();
    try {
      return await within(ANSWER_MS, answer);
    } catch (error) {
      if (error instanceof Late) {
        this.#stuckUntil(answer);
      }
      throw error;
    }
  }

  /** @param {Promise<unknown>} answer */
  #stuckUntil(answer) {
    const settled = () => {
      this.#stuck = false;
    };
    this.#stuck = true;
    answer.then(settled, settled);
  }

  #onReady() {
    this.#away = false;
    this.#logger.info('redis is connected');
  }

  /**
   * The client reports each failed attempt; one line for the change is enough.
   *
   * @param {Error} error
   */
  #onError(error) {
    this.#logger.log(this.#away ? 'debug' : 'warn', 'redis is away', { reason: reasonOf(error) });
    this.#away = true;
  }
}

/** An answer did not come in time. */
class Late extends Error {}

/**
 * @template T
 * @param {number} ms
 * @param {Promise<T>} answer
 * @returns {Promise<T>}
 * @throws {Late} when there is no answer after `ms`
 */
async function within(ms, answer) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const late = new Promise((_, reject) => {
    const giveUp = () => reject(new Late(`redis did not answer within ${ms} ms`));
    // When this process was held up itself, the answer may lie in the socket: it is read before the immediate runs.
    timer = setTimeout(() => setImmediate(giveUp), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {unknown} error
 * @returns {string} its message, or its code where it has none (an AggregateError: several addresses were tried)
 */
function reasonOf(error) {
  return error instanceof Error ? error.message || String(Reflect.get(error, 'code')) : String(error);
}
