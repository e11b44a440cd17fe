import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { readConfig } from '../src/config.js';
import { StartError } from '../src/errors.js';
import { Service } from './support/service.js';

suite('settings', () => {
  test('without any, everything has a default and no fault is on', () => {
    assert.deepEqual(readConfig({}), {
      port: 8080,
      redisUrl: 'redis://127.0.0.1:6379',
      cacheTtlSeconds: 30,
      drainSeconds: 5,
      logLevel: 'info',
      faults: { unhealthy: false, noProducts: false, errorRate: 0, latencyMs: 0, memoryMib: 0 },
    });
  });

  test('each is read from its variable', () => {
    const env = {
      PORT: '0',
      REDIS_URL: 'redis://cache:7000',
      CACHE_TTL_SECONDS: '60',
      DRAIN_SECONDS: '0',
      LOG_LEVEL: 'debug',
      FAULT_UNHEALTHY: 'true',
      FAULT_NO_PRODUCTS: 'true',
      FAULT_ERROR_RATE: '0.5',
      FAULT_LATENCY_MS: '250',
      FAULT_MEMORY_MIB: '256',
    };
    assert.deepEqual(readConfig(env), {
      port: 0,
      redisUrl: 'redis://cache:7000',
      cacheTtlSeconds: 60,
      drainSeconds: 0,
      logLevel: 'debug',
      faults: { unhealthy: true, noProducts: true, errorRate: 0.5, latencyMs: 250, memoryMib: 256 },
    });
  });

  const refused = {
    PORT: ['', 'http', '65536', '-1', '80.5', ' 80', '0x50'],
    REDIS_URL: ['', 'localhost:6379', 'http://127.0.0.1', 'redis://'],
    CACHE_TTL_SECONDS: ['0', '1.5', 'ever'],
    DRAIN_SECONDS: ['-1', '301', '5s'],
    LOG_LEVEL: ['', 'INFO', 'loud'],
    FAULT_UNHEALTHY: ['', '1', 'yes', 'TRUE'],
    FAULT_NO_PRODUCTS: ['no'],
    FAULT_ERROR_RATE: ['1.1', '-0.1', '50%', 'NaN', '1e-3', '.5'],
    FAULT_LATENCY_MS: ['60001', '1.5', '1s'],
    FAULT_MEMORY_MIB: ['4097', '256MiB', 'Infinity'],
  };
  for (const [name, values] of Object.entries(refused)) {
    test(`${name}: a wrong value is refused by name`, () => {
      for (const value of values) {
        const message = new RegExp(`^${name}=${JSON.stringify(value)}: set it to .+$`);
        assert.throws(() => readConfig({ [name]: value }), { constructor: StartError, message }, value);
      }
    });
  }

  test('a fault nobody knows is refused', () => {
    assert.throws(() => readConfig({ FAULT_LATENCY: '5' }), {
      constructor: StartError,
      message: /^FAULT_LATENCY: no /,
    });
  });
});

suite('a start that fails', () => {
  /**
   * @param {import('node:test').TestContext} t
   * @param {Record<string, string>} env
   */
  async function lastWords(t, env) {
    const service = await Service.launch(t, { env });
    assert.equal(await service.exited, 1);
    assert.equal(service.output.length, service.logs.length, service.output.join('\n'));
    return service.logs;
  }

  test('an invalid setting is one line and exit code 1', async (t) => {
    const logs = await lastWords(t, { FAULT_ERROR_RATE: '2' });
    assert.equal(logs.length, 1);
    assert.equal(logs[0]?.level, 'error');
    assert.equal(logs[0]?.message, 'FAULT_ERROR_RATE="2": set it to a number from 0 to 1');
  });

  test('a taken port is one error line and exit code 1', async (t) => {
    const other = await Service.start(t);
    const errors = (await lastWords(t, { PORT: String(other.port) })).filter(({ level }) => level === 'error');
    assert.equal(errors.length, 1);
    assert.match(errors[0]?.message, /^PORT=\d+: .*EADDRINUSE/);
    assert.equal(errors[0]?.stack, undefined);
  });
});
