import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { suite, test } from 'node:test';

import { RedisServer } from './support/redis.js';
import { Service } from './support/service.js';

/**
 * @param {Service} service
 * @param {string} target
 * @param {number} count
 */
async function statuses(service, target, count) {
  const seen = [];
  for (let sent = 0; sent < count; sent += 1) {
    seen.push((await service.get(target)).status);
  }
  return seen;
}

/**
 * @param {Service} service
 * @returns {Promise<number>} resident memory as the kernel counts it, MiB
 */
async function residentMib(service) {
  const status = await readFile(`/proc/${service.child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

suite('faults', () => {
  test('FAULT_UNHEALTHY: /health says so with 200, the rest works', async (t) => {
    const service = await Service.start(t, { env: { FAULT_UNHEALTHY: 'true' } });
    const { status, body } = await service.get('/health');
    assert.equal(status, 200);
    assert.deepEqual(body, { status: 'unhealthy', version: '1.0.0' });
    assert.equal((await service.get('/products')).body.count, 6);
  });

  test('FAULT_NO_PRODUCTS: the list is empty, from the source and from the cache', async (t) => {
    const service = await Service.start(t, { redis: await RedisServer.start(t), env: { FAULT_NO_PRODUCTS: 'true' } });
    await service.ready();
    const empty = { count: 0, products: [] };
    assert.deepEqual((await service.get('/products')).body, empty);
    assert.deepEqual((await service.get('/products')).body, empty);
    assert.equal(await service.metric('cache_hits_total'), 1);
    assert.equal((await service.get('/products/1')).status, 404);
    assert.equal((await service.get('/health')).body.status, 'healthy');
  });

  test('FAULT_ERROR_RATE: that share of product requests fails, evenly', async (t) => {
    const service = await Service.start(t, { env: { FAULT_ERROR_RATE: '0.25' } });
    assert.deepEqual(await statuses(service, '/products', 8), [200, 200, 200, 500, 200, 200, 200, 500]);
    assert.equal(await service.metric('http_requests_total{method="GET",route="/products",status="500"}'), 2);
  });

  test('FAULT_ERROR_RATE=1: every product request fails with a body, no other', async (t) => {
    const service = await Service.start(t, { redis: await RedisServer.start(t), env: { FAULT_ERROR_RATE: '1' } });
    await service.ready();
    assert.deepEqual(await statuses(service, '/products', 3), [500, 500, 500]);
    const { status, body } = await service.get('/products/1');
    assert.equal(status, 500);
    assert.deepEqual(body, { error: 'injected by FAULT_ERROR_RATE' });
    assert.equal((await service.get('/health')).status, 200);
  });

  test('FAULT_LATENCY_MS: product requests take at least that long, and the metric shows it', async (t) => {
    const service = await Service.start(t, { env: { FAULT_LATENCY_MS: '300' } });
    await service.get('/products');
    const labels = 'method="GET",route="/products",status="200"';
    // A timer may fire up to a millisecond early.
    assert.ok(Number(await service.metric(`http_request_duration_seconds_sum{${labels}}`)) >= 0.299);
  });

  test('FAULT_MEMORY_MIB: that much more memory is resident', async (t) => {
    const plain = await Service.start(t);
    const heavy = await Service.start(t, { env: { FAULT_MEMORY_MIB: '256' } });
    await Promise.all([plain.get('/products'), heavy.get('/products')]);
    const more = (await residentMib(heavy)) - (await residentMib(plain));
    assert.ok(more > 200, `${more} MiB more`);
  });

  test('without switches nothing is wrong', async (t) => {
    const service = await Service.start(t);
    assert.deepEqual(await statuses(service, '/products', 20), Array(20).fill(200));
    assert.ok((await residentMib(service)) < 150);
  });
});
