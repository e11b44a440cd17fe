import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { fetchText } from './support/http.js';
import { RedisServer } from './support/redis.js';
import { Service } from './support/service.js';

suite('endpoints', () => {
  test('/health tells status and version', async (t) => {
    const service = await Service.start(t);
    const { status, body } = await service.get('/health');
    assert.equal(status, 200);
    assert.deepEqual(body, { status: 'healthy', version: '1.0.0' });
  });

  test('/ready says yes once Redis answers', async (t) => {
    const service = await Service.start(t, { redis: await RedisServer.start(t) });
    await service.ready();
    assert.deepEqual((await service.get('/ready')).body, { status: 'ready' });
  });

  test('/products lists every product and counts them', async (t) => {
    const service = await Service.start(t);
    const { status, body } = await service.get('/products');
    assert.equal(status, 200);
    assert.equal(body.count, 6);
    assert.equal(body.products.length, body.count);
  });

  test('/products/:id gives the product of the list', async (t) => {
    const service = await Service.start(t);
    const [first] = (await service.get('/products')).body.products;
    const { status, body } = await service.get(`/products/${first.id}`);
    assert.equal(status, 200);
    assert.deepEqual(body, first);
  });

  test('an unknown id is 404 with a body', async (t) => {
    const service = await Service.start(t);
    const { status, body } = await service.get('/products/4711');
    assert.equal(status, 404);
    assert.deepEqual(body, { error: 'no product 4711' });
  });

  test('a malformed id is 400 with a body', async (t) => {
    const service = await Service.start(t);
    for (const id of ['abc', '0', '-1', '1.5', '1e3', '01', '9999999999', '%20', '%E0%A4%A']) {
      const { status, body } = await service.get(`/products/${id}`);
      assert.equal(status, 400, id);
      assert.match(body.error, /\S/, id);
    }
  });

  test('an unknown path is 404 with a body', async (t) => {
    const service = await Service.start(t);
    const { status, body } = await service.get('/nowhere');
    assert.equal(status, 404);
    assert.deepEqual(body, { error: 'nothing at /nowhere' });
  });

  test('every response carries the version', async (t) => {
    const service = await Service.start(t);
    for (const target of ['/health', '/ready', '/metrics', '/products', '/products/1', '/products/x', '/nowhere']) {
      const { headers } = await fetchText(service.url(target));
      assert.equal(headers['x-product-api-version'], '1.0.0', target);
    }
  });
});
