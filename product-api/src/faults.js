import { setTimeout as delay } from 'node:timers/promises';

import { StartError } from './errors.js';

const MIB = 2 ** 20;

/** What is wrong with this process on purpose. See README.md for the switches. */
export class Faults {
  #settings;
  #requests = 0;

  /**
   * @param {import('./config.js').FaultSettings} settings
   * @throws {StartError} when the memory for the ballast cannot be had
   */
  constructor(settings) {
    this.#settings = settings;
    /** Held for as long as the process lives. */
    this.ballast = allocate(settings.memoryMib);
  }

  get unhealthy() {
    return this.#settings.unhealthy;
  }

  /** @type {import('express').RequestHandler} */
  disturb = async (_request, response, next) => {
    if (this.#settings.latencyMs > 0) {
      await delay(this.#settings.latencyMs);
    }
    if (this.#failsNow()) {
      response.status(500).json({ error: 'injected by FAULT_ERROR_RATE' });
    } else {
      next();
    }
  };

  /** Failures are spread evenly, not drawn by chance: at 0.25 each fourth request fails. */
  #failsNow() {
    const failedBefore = Math.floor(this.#requests * this.#settings.errorRate);
    this.#requests += 1;
    return Math.floor(this.#requests * this.#settings.errorRate) > failedBefore;
  }
}

/**
 * @param {number} mib
 * @returns {Buffer[]} one for each MiB, filled with ones: memory only counts as resident once it was written
 */
function allocate(mib) {
  try {
    return Array.from({ length: mib }, () => Buffer.alloc(MIB, 1));
  } catch (cause) {
    throw new StartError(`FAULT_MEMORY_MIB=${mib}: this machine does not give that much memory`, { cause });
  }
}
