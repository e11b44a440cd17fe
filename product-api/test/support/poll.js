import { setTimeout as delay } from 'node:timers/promises';

/** Far beyond what any step takes: it only keeps a broken one from hanging. */
const BOUND_MS = 60_000;
const INTERVAL_MS = 20;

/**
 * Asks again and again until the answer is truthy.
 *
 * @template T
 * @param {string} what for the message when it never is
 * @param {() => T | Promise<T>} ask
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, ask) {
  const end = performance.now() + BOUND_MS;
  for (;;) {
    const answer = await ask();
    if (answer) {
      return answer;
    }
    if (performance.now() > end) {
      throw new Error(`waited ${BOUND_MS} ms in vain: ${what}`);
    }
    await delay(INTERVAL_MS);
  }
}
