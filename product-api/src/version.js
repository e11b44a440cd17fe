import { readFile } from 'node:fs/promises';

import { StartError } from './errors.js';

/** Semantic version without build metadata: "+" is not allowed in an image tag. */
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/**
 * @param {unknown} text
 * @returns {string} the same text, known to be a version like 1.0.0 or 1.1.0-rc.1
 * @throws {StartError} when it is not one
 */
export function parseVersion(text) {
  if (typeof text !== 'string' || !VERSION.test(text)) {
    throw new StartError(`version ${JSON.stringify(text)}: build with VERSION set to a version like 1.0.0`);
  }
  return text;
}

/**
 * Version that the build wrote beside the sources (`build/stamp.js`). It is part of the image on purpose: a manifest
 * cannot claim another one.
 *
 * @returns {Promise<string>}
 * @throws {StartError} when nothing was stamped, or something that is no version
 */
export async function builtVersion() {
  const file = new URL('../version.json', import.meta.url);
  /** @type {string} */
  let text;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new StartError('version.json is missing: run `node build/stamp.js 1.0.0` first', { cause });
  }
  return parseVersion(JSON.parse(text).version);
}
