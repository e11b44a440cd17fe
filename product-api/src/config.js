import { StartError } from './errors.js';

/**
 * Faults that a scenario may switch on; all are off by default.
 *
 * @typedef {object} FaultSettings
 * @property {boolean} unhealthy /health says "unhealthy"
 * @property {boolean} noProducts the catalogue is empty
 * @property {number} errorRate share of product requests that fail, 0 to 1
 * @property {number} latencyMs delay of each product request, milliseconds
 * @property {number} memoryMib ballast that stays resident, MiB
 */

/**
 * @typedef {object} Config
 * @property {number} port TCP port; 0 takes a free one
 * @property {string} redisUrl
 * @property {number} cacheTtlSeconds
 * @property {number} drainSeconds how long to go on serving after SIGTERM
 * @property {string} logLevel
 * @property {FaultSettings} faults
 */

/** @typedef {Record<string, string | undefined>} Environment */

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'];
const FAULTS = ['FAULT_UNHEALTHY', 'FAULT_NO_PRODUCTS', 'FAULT_ERROR_RATE', 'FAULT_LATENCY_MS', 'FAULT_MEMORY_MIB'];

/**
 * @param {Environment} env
 * @returns {Config}
 * @throws {StartError} on the first setting with an invalid value, and on a fault nobody knows
 */
export function readConfig(env) {
  refuseUnknownFaults(env);
  return {
    port: wholeNumber(env, 'PORT', { default: 8080, min: 0, max: 65_535 }),
    redisUrl: redisUrl(env, 'REDIS_URL', 'redis://127.0.0.1:6379'),
    cacheTtlSeconds: wholeNumber(env, 'CACHE_TTL_SECONDS', { default: 30, min: 1, max: 86_400 }),
    drainSeconds: wholeNumber(env, 'DRAIN_SECONDS', { default: 5, min: 0, max: 300 }),
    logLevel: oneOf(env, 'LOG_LEVEL', LOG_LEVELS, 'info'),
    faults: {
      unhealthy: flag(env, 'FAULT_UNHEALTHY'),
      noProducts: flag(env, 'FAULT_NO_PRODUCTS'),
      errorRate: number(env, 'FAULT_ERROR_RATE', { default: 0, min: 0, max: 1 }),
      latencyMs: wholeNumber(env, 'FAULT_LATENCY_MS', { default: 0, min: 0, max: 60_000 }),
      memoryMib: wholeNumber(env, 'FAULT_MEMORY_MIB', { default: 0, min: 0, max: 4096 }),
    },
  };
}

/**
 * A misspelt fault would leave its scenario green for the wrong reason.
 *
 * @param {Environment} env
 */
function refuseUnknownFaults(env) {
  for (const name of Object.keys(env)) {
    if (name.startsWith('FAULT_') && !FAULTS.includes(name)) {
      throw new StartError(`${name}: no such fault, known are ${FAULTS.join(', ')}`);
    }
  }
}

/** @typedef {{ default: number, min: number, max: number }} Range */

/**
 * @param {Environment} env
 * @param {string} name
 * @param {Range} range
 */
function wholeNumber(env, name, range) {
  return numeral(env, name, range, { pattern: /^\d+$/, kind: 'a whole number' });
}

/**
 * @param {Environment} env
 * @param {string} name
 * @param {Range} range
 */
function number(env, name, range) {
  return numeral(env, name, range, { pattern: /^\d+(\.\d+)?$/, kind: 'a number' });
}

/**
 * @param {Environment} env
 * @param {string} name
 * @param {Range} range
 * @param {{ pattern: RegExp, kind: string }} form
 */
function numeral(env, name, range, { pattern, kind }) {
  const text = env[name];
  if (text === undefined) {
    return range.default;
  }
  const value = pattern.test(text) ? Number(text) : NaN;
  if (value >= range.min && value <= range.max) {
    return value;
  }
  throw invalid(name, text, `${kind} from ${range.min} to ${range.max}`);
}

/**
 * @param {Environment} env
 * @param {string} name
 */
function flag(env, name) {
  return oneOf(env, name, ['true', 'false'], 'false') === 'true';
}

/**
 * @param {Environment} env
 * @param {string} name
 * @param {string[]} choices
 * @param {string} byDefault
 */
function oneOf(env, name, choices, byDefault) {
  const text = env[name] ?? byDefault;
  if (!choices.includes(text)) {
    throw invalid(name, text, `one of ${choices.join(', ')}`);
  }
  return text;
}

/**
 * @param {Environment} env
 * @param {string} name
 * @param {string} byDefault
 */
function redisUrl(env, name, byDefault) {
  const text = env[name] ?? byDefault;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'redis:' || url.hostname === '') {
    throw invalid(name, text, 'an address like redis://127.0.0.1:6379');
  }
  return text;
}

/**
 * @param {string} name
 * @param {string} text
 * @param {string} expected
 */
function invalid(name, text, expected) {
  return new StartError(`${name}=${JSON.stringify(text)}: set it to ${expected}`);
}
