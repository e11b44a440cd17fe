import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { until } from './support/poll.js';
import { Service } from './support/service.js';

suite('logs', () => {
  test('every line is JSON with level, message, time, service and version', async (t) => {
    const service = await Service.start(t, { env: { DRAIN_SECONDS: '0' } });
    await service.get('/products');
    service.child.kill('SIGTERM');
    await service.exited;
    assert.equal(service.logs.length, service.output.length, service.output.join('\n'));
    for (const line of service.logs) {
      assert.match(line.level, /^(error|warn|info|debug)$/);
      assert.ok(line.message);
      assert.ok(Date.parse(line.timestamp));
      assert.equal(line.service, 'product-api');
      assert.equal(line.version, '1.0.0');
    }
  });

  test('a request is logged with method, path, status and duration', async (t) => {
    const service = await Service.start(t);
    await service.get('/products/4711');
    const line = await until('the request is logged', () => service.logs.find(({ message }) => message === 'request'));
    assert.deepEqual(
      { level: line.level, method: line.method, path: line.path, status: line.status },
      { level: 'info', method: 'GET', path: '/products/4711', status: 404 },
    );
    assert.equal(typeof line.durationMs, 'number');
  });

  test('probes are only logged at debug', async (t) => {
    const service = await Service.start(t, { env: { LOG_LEVEL: 'info' } });
    await service.get('/health');
    await service.get('/ready');
    await service.get('/products');
    await until('the last request is logged', () => service.logs.some(({ path }) => path === '/products'));
    assert.deepEqual(service.logs.map(({ path }) => path).filter(Boolean), ['/products']);
  });

  test('faults that are on are named at the start', async (t) => {
    const service = await Service.start(t, { env: { FAULT_LATENCY_MS: '7' } });
    assert.equal(service.logs.find(({ message }) => message === 'starting')?.faults.latencyMs, 7);
  });
});
