import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { suite, test } from 'node:test';

import { fetchText } from './support/http.js';
import { until } from './support/poll.js';
import { RedisServer } from './support/redis.js';
import { Service } from './support/service.js';

const LONG_DRAIN = { DRAIN_SECONDS: '300' };

/**
 * Sends a request on a connection that the service has accepted, and returns when the service has read it: the answer
 * is still to come.
 *
 * @param {import('node:test').TestContext} t
 * @param {Service} service
 * @param {string} target
 */
async function openRequest(t, service, target) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  await fetchText(service.url('/health'), { agent });
  const answer = fetchText(service.url(target), { agent });
  answer.catch(() => {}); // whoever wants it awaits it
  // The bytes lie in the service's socket before those of this later request.
  await service.get('/health');
  return { answer };
}

/** @param {Service} service */
async function untilDraining(service) {
  await until('the service drains', () => service.logs.some(({ message }) => message === 'draining'));
}

suite('SIGTERM', () => {
  test('draining means unready, with the reason', async (t) => {
    const redis = await RedisServer.start(t);
    const service = await Service.start(t, { redis, env: LONG_DRAIN });
    await service.ready();
    service.child.kill('SIGTERM');
    await untilDraining(service);
    const { status, body } = await service.get('/ready');
    assert.equal(status, 503);
    assert.deepEqual(body, { status: 'unready', reason: 'shutting down' });
  });

  test('no request on a fresh connection is lost, before, during and after the signal', async (t) => {
    const redis = await RedisServer.start(t);
    const service = await Service.start(t, { redis, env: LONG_DRAIN });
    await service.ready();
    for (let sent = 0; sent < 100; sent += 1) {
      if (sent === 30) {
        service.child.kill('SIGTERM');
      }
      if (sent === 60) {
        await untilDraining(service);
        await redis.stop(); // the sidecar gets its SIGTERM at the same time
      }
      const { status, body } = await service.get('/products');
      assert.deepEqual({ status, count: body.count }, { status: 200, count: 6 }, `request ${sent}`);
    }
  });

  test('draining responses end their keep-alive connections', async (t) => {
    const service = await Service.start(t, { env: LONG_DRAIN });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    assert.equal((await fetchText(service.url('/products'), { agent })).headers.connection, 'keep-alive');
    service.child.kill('SIGTERM');
    await untilDraining(service);
    assert.equal((await fetchText(service.url('/products'), { agent })).headers.connection, 'close');
  });

  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT'])) {
    test(`${signal}: after the drain period it exits 0 and listens no more`, async (t) => {
      const service = await Service.start(t, { env: { DRAIN_SECONDS: '1' } });
      service.child.kill(signal);
      assert.equal(await service.exited, 0);
      await assert.rejects(service.get('/health'), { code: 'ECONNREFUSED' });
      assert.equal(service.logs.at(-1)?.message, 'closed');
    });
  }

  test('an idle keep-alive connection is closed, not waited for', async (t) => {
    const service = await Service.start(t, { env: { DRAIN_SECONDS: '0' } });
    const socket = connect(service.port, '127.0.0.1');
    socket.resume().write('GET /health HTTP/1.1\r\nHost: test\r\n\r\n');
    await once(socket, 'data');
    service.child.kill('SIGTERM');
    await once(socket, 'close');
    assert.equal(await service.exited, 0);
  });

  test('a connection without a request does not keep it', async (t) => {
    const service = await Service.start(t, { env: { DRAIN_SECONDS: '0' } });
    const socket = connect(service.port, '127.0.0.1');
    socket.on('error', () => {}); // a reset is as good an end
    await once(socket.resume(), 'connect');
    service.child.kill('SIGTERM');
    assert.equal(await service.exited, 0);
  });

  test('a request that outlives the drain period is answered', async (t) => {
    const service = await Service.start(t, { env: { DRAIN_SECONDS: '0', FAULT_LATENCY_MS: '2000' } });
    const { answer } = await openRequest(t, service, '/products');
    service.child.kill('SIGTERM');
    assert.equal((await answer).status, 200);
    assert.equal(await service.exited, 0);
  });

  test('a request that takes too long is cut off, and the exit code says so', async (t) => {
    const service = await Service.start(t, { env: { DRAIN_SECONDS: '0', FAULT_LATENCY_MS: '60000' } });
    const { answer } = await openRequest(t, service, '/products');
    service.child.kill('SIGTERM');
    assert.equal(await service.exited, 1);
    await assert.rejects(answer, { code: 'ECONNRESET' });
    assert.equal(service.logs.at(-1)?.requestsCutOff, 1);
  });

  test('a second one ends it at once', async (t) => {
    const service = await Service.start(t, { env: LONG_DRAIN });
    service.child.kill('SIGTERM');
    await untilDraining(service);
    service.child.kill('SIGTERM');
    assert.equal(await service.exited, 1);
  });
});
