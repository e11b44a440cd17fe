import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { fetchText } from './support/http.js';
import { Service } from './support/service.js';

suite('metrics', () => {
  test('requests are counted and timed by method, route and status', async (t) => {
    const service = await Service.start(t);
    await service.get('/products');
    await service.get('/products');
    await service.get('/products/x');
    const list = 'method="GET",route="/products",status="200"';
    const malformed = 'method="GET",route="/products/:id",status="400"';
    assert.equal(await service.metric(`http_requests_total{${list}}`), 2);
    assert.equal(await service.metric(`http_requests_total{${malformed}}`), 1);
  });

  test('the duration histogram has the same labels', async (t) => {
    const service = await Service.start(t);
    await service.get('/products/1');
    const { text } = await fetchText(service.url('/metrics'));
    const lines = text.split('\n').filter((line) => line.startsWith('http_request_duration_seconds_bucket'));
    const labels = ['le="+Inf"', 'method="GET"', 'route="/products/:id"', 'status="200"'];
    const everyone = lines.filter((line) => labels.every((label) => line.includes(label)));
    assert.equal(everyone.length, 1);
    assert.match(String(everyone[0]), / 1$/);
  });

  test('callers cannot add routes', async (t) => {
    const service = await Service.start(t);
    for (const target of ['/a', '/b/c', '/products/1/more']) {
      await service.get(target);
    }
    assert.equal(await service.metric('http_requests_total{method="GET",route="unmatched",status="404"}'), 3);
  });

  test('cache counters start at zero and the process is measured', async (t) => {
    const service = await Service.start(t);
    assert.equal(await service.metric('cache_hits_total'), 0);
    assert.equal(await service.metric('cache_misses_total'), 0);
    assert.ok(Number(await service.metric('process_resident_memory_bytes')) > 0);
  });

  test('Prometheus understands the content type', async (t) => {
    const service = await Service.start(t);
    const { headers } = await fetchText(service.url('/metrics'));
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
  });
});
