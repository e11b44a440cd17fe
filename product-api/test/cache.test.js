import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { until } from './support/poll.js';
import { RedisServer } from './support/redis.js';
import { Service } from './support/service.js';

const LIST_KEY = 'product-api:1.0.0:products';

/** @param {Service} service */
async function reads(service) {
  return { hits: await service.metric('cache_hits_total'), misses: await service.metric('cache_misses_total') };
}

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} [env]
 */
async function cached(t, env = {}) {
  const redis = await RedisServer.start(t);
  const service = await Service.start(t, { redis, env });
  await service.ready();
  return { redis, service };
}

suite('cache', () => {
  test('the second read of the list is a hit with the same answer', async (t) => {
    const { service } = await cached(t);
    const first = await service.get('/products');
    assert.deepEqual(await reads(service), { hits: 0, misses: 1 });
    const second = await service.get('/products');
    assert.deepEqual(await reads(service), { hits: 1, misses: 1 });
    assert.deepEqual(second.body, first.body);
  });

  test('the second read of a product is a hit with the same answer', async (t) => {
    const { service } = await cached(t);
    const first = await service.get('/products/2');
    const second = await service.get('/products/2');
    assert.deepEqual(await reads(service), { hits: 1, misses: 1 });
    assert.deepEqual(second.body, first.body);
  });

  test('an answer comes from Redis, not from the process', async (t) => {
    const { redis, service } = await cached(t);
    await redis.with((client) => client.set(LIST_KEY, JSON.stringify([{ id: 99, name: 'Only in Redis', price: 1 }])));
    const { body } = await service.get('/products');
    assert.deepEqual(body, { count: 1, products: [{ id: 99, name: 'Only in Redis', price: 1 }] });
  });

  test('a value lives as long as CACHE_TTL_SECONDS says', async (t) => {
    const { redis, service } = await cached(t, { CACHE_TTL_SECONDS: '3600' });
    await service.get('/products');
    const seconds = await redis.with((client) => client.ttl(LIST_KEY));
    assert.ok(seconds > 3000 && seconds <= 3600, `TTL ${seconds}`);
  });

  test('after the TTL the value is read from its source again', async (t) => {
    const { service } = await cached(t, { CACHE_TTL_SECONDS: '1' });
    await service.get('/products');
    await until('a read after the TTL misses', async () => {
      await service.get('/products');
      return (await reads(service)).misses === 2;
    });
  });

  test('an unknown product leaves no key', async (t) => {
    const { redis, service } = await cached(t);
    await service.get('/products/4711');
    assert.equal(await redis.with((client) => client.dbSize()), 0);
  });

  test('a value that is no JSON is a miss and gets replaced', async (t) => {
    const { redis, service } = await cached(t);
    await redis.with((client) => client.set(LIST_KEY, '{broken'));
    assert.equal((await service.get('/products')).body.count, 6);
    await service.get('/products');
    assert.deepEqual(await reads(service), { hits: 1, misses: 1 });
  });

  test('releases that share a Redis do not read each other’s values', async (t) => {
    const redis = await RedisServer.start(t);
    const older = await Service.start(t, { redis, version: '0.9.0' });
    const newer = await Service.start(t, { redis, version: '1.0.0' });
    await Promise.all([older.ready(), newer.ready()]);
    assert.equal((await older.get('/products')).body.count, 4);
    assert.equal((await newer.get('/products')).body.count, 6);
  });
});

suite('Redis away', () => {
  test('it starts without Redis, says so and serves', async (t) => {
    const service = await Service.start(t);
    const { status, body } = await service.get('/ready');
    assert.equal(status, 503);
    assert.deepEqual(body, { status: 'unready', reason: 'redis is not connected' });
    assert.equal((await service.get('/products')).body.count, 6);
    assert.equal((await service.get('/products/1')).status, 200);
    assert.equal((await service.get('/health')).body.status, 'healthy');
    assert.deepEqual(await reads(service), { hits: 0, misses: 2 });
  });

  test('it goes and comes back: unready and uncached, then ready and cached again', async (t) => {
    const { redis, service } = await cached(t);
    await redis.stop();
    await until('the service is unready', async () => (await service.get('/ready')).status === 503);
    assert.equal((await service.get('/products')).body.count, 6);

    assert.ok(await redis.start());
    await service.ready();
    await service.get('/products');
    await service.get('/products');
    assert.equal((await reads(service)).hits, 1);
  });

  test('each change is logged once', async (t) => {
    const { redis, service } = await cached(t);
    await redis.stop();
    // Several failed attempts to connect, each of them known at debug.
    await until('attempts', () => service.logs.filter(({ message }) => message === 'redis is away').length > 3);
    assert.equal(
      service.logs.filter(({ message, level }) => message === 'redis is away' && level === 'warn').length,
      1,
    );
  });

  test('a Redis that hangs holds up no request', async (t) => {
    const { redis, service } = await cached(t);
    redis.freeze();
    const answers = await Promise.all(Array.from({ length: 10 }, () => service.get('/products')));
    assert.deepEqual(
      answers.map(({ body }) => body.count),
      Array(10).fill(6),
    );
    const { status, body } = await service.get('/ready');
    assert.equal(status, 503);
    assert.match(body.reason, /redis (does|did) not answer/);

    redis.thaw();
    await service.ready();
  });

  test('a Redis that hangs while the service connects is away', async (t) => {
    const redis = await RedisServer.start(t);
    redis.freeze();
    const service = await Service.start(t, { redis });
    assert.equal((await service.get('/products')).body.count, 6);
    assert.equal((await service.get('/ready')).status, 503);

    redis.thaw();
    await service.ready();
  });

  test('a Redis that refuses writes costs the cache, not the answer', async (t) => {
    const { redis, service } = await cached(t);
    await redis.with((client) => client.configSet('maxmemory', '1'));
    assert.equal((await service.get('/products')).body.count, 6);
    assert.equal((await service.get('/products')).body.count, 6);
    assert.deepEqual(await reads(service), { hits: 0, misses: 2 });
  });
});
