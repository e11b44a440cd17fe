import { once } from 'node:events';
import { createServer } from 'node:http';

import { createApp } from './app.js';
import { Cache } from './cache.js';
import { readConfig } from './config.js';
import { StartError } from './errors.js';
import { Faults } from './faults.js';
import { Lifecycle } from './lifecycle.js';
import { createLogger } from './logger.js';
import { Metrics } from './metrics.js';
import { Products, catalogueOf } from './products.js';
import { builtVersion } from './version.js';

/** Starts the service as the environment says and returns once it listens. */
async function start() {
  const config = readConfig(process.env);
  const version = await builtVersion();
  const logger = createLogger(config.logLevel, { version });
  const faults = new Faults(config.faults);
  logger.info('starting', { faults: config.faults });

  const metrics = new Metrics();
  const cache = new Cache({ url: config.redisUrl, ttlSeconds: config.cacheTtlSeconds, metrics, logger });
  const catalogue = config.faults.noProducts ? [] : catalogueOf(version);
  const products = new Products({ catalogue, cache, version });
  const lifecycle = new Lifecycle(config.drainSeconds);
  const server = createServer(createApp({ version, products, cache, metrics, faults, lifecycle, logger }));

  endOnSignal({ server, cache, lifecycle, logger });
  await listen(server, config.port);
  logger.info('listening', { address: server.address() });
  cache.connect();
}

/**
 * @param {import('node:http').Server} server
 * @param {number} port
 */
async function listen(server, port) {
  server.listen(port);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new StartError(`PORT=${port}: ${/** @type {Error} */ (cause).message}`, { cause });
  }
}

/**
 * The first signal drains; a second one ends the process at once.
 *
 * @param {object} parts
 * @param {import('node:http').Server} parts.server
 * @param {Cache} parts.cache
 * @param {Lifecycle} parts.lifecycle
 * @param {import('winston').Logger} parts.logger
 */
function endOnSignal({ server, cache, lifecycle, logger }) {
  /** @param {NodeJS.Signals} signal */
  const end = async (signal) => {
    if (lifecycle.draining) {
      logger.warn('ended by a second signal', { signal });
      process.exit(1);
    }
    logger.info('draining', { signal });
    const cutOff = await lifecycle.shutDown(server);
    cache.close();
    logger.log(cutOff > 0 ? 'error' : 'info', 'closed', { requestsCutOff: cutOff });
    process.exit(cutOff > 0 ? 1 : 0);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/**
 * One line and exit code 1; the stack only for what nobody foresaw.
 *
 * @param {unknown} error
 */
function die(error) {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  createLogger('error').error(message, error instanceof StartError ? {} : { stack });
  process.exit(1);
}

process.on('uncaughtException', die);
start().catch(die);
