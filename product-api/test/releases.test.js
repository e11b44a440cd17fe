import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';

import { stamp, unstampedTree } from './support/release.js';
import { Service } from './support/service.js';

suite('releases', () => {
  test('0.9.0 sells four products without categories', async (t) => {
    const service = await Service.start(t, { version: '0.9.0' });
    const { headers, body } = await service.get('/products');
    assert.equal(headers['x-product-api-version'], '0.9.0');
    assert.deepEqual((await service.get('/health')).body, { status: 'healthy', version: '0.9.0' });
    assert.equal(body.count, 4);
    assert.ok(body.products.every((/** @type {object} */ product) => !('category' in product)));
    assert.equal((await service.get('/products/5')).status, 404);
  });

  test('1.0.0 sells six products, each with a category, audio among them', async (t) => {
    const service = await Service.start(t, { version: '1.0.0' });
    const { body } = await service.get('/products');
    const categories = new Set(body.products.map((/** @type {{ category: string }} */ { category }) => category));
    assert.equal(body.count, 6);
    assert.deepEqual([...categories], ['computers', 'accessories', 'audio']);
    assert.equal((await service.get('/products/5')).status, 200);
  });

  test('the environment cannot claim another version', async (t) => {
    const env = { VERSION: '9.9.9', npm_package_version: '9.9.9', PRODUCT_API_VERSION: '9.9.9' };
    const service = await Service.start(t, { version: '0.9.0', env });
    assert.equal((await service.get('/health')).body.version, '0.9.0');
  });
});

suite('build/stamp.js', () => {
  test('writes the version beside the sources', async (t) => {
    const tree = await unstampedTree(t);
    await stamp(tree, '1.2.3-rc.1');
    assert.equal(await readFile(path.join(tree, 'version.json'), 'utf8'), '{"version":"1.2.3-rc.1"}\n');
  });

  for (const args of [[], [''], ['latest'], ['1.0'], ['v1.0.0'], ['1.0.0+build']]) {
    test(`refuses ${JSON.stringify(args[0])} with one line`, async (t) => {
      const tree = await unstampedTree(t);
      await assert.rejects(stamp(tree, ...args), { code: 1, stderr: /^version .*: build with VERSION .*\n$/ });
    });
  }

  test('a service that was not stamped does not start', async (t) => {
    const service = new Service(await unstampedTree(t), {});
    t.after(() => service.child.kill('SIGKILL'));
    assert.equal(await service.exited, 1);
    assert.match(service.logs[0]?.message, /^version\.json is missing: /);
  });
});
