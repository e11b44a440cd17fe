import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const PROJECT = path.resolve(import.meta.dirname, '../..');

/**
 * A tree like the one in which an image is built, in a folder that `t` removes: sources, and the bundle without a version.
 *
 * @param {{ after: (end: () => Promise<void>) => void }} t
 * @returns {Promise<string>} its path
 */
export async function unstampedTree(t) {
  const tree = await mkdtemp(path.join(tmpdir(), 'product-api-'));
  t.after(() => rm(tree, { recursive: true }));
  for (const part of ['package.json', 'build', 'dist', 'src']) {
    await cp(path.join(PROJECT, part), path.join(tree, part), { recursive: true });
  }
  return tree;
}

/**
 * Stamps the tree as the Dockerfile does.
 *
 * @param {string} tree
 * @param {string[]} args
 */
export function stamp(tree, ...args) {
  return promisify(execFile)(process.execPath, [path.join(tree, 'build/stamp.js'), ...args]);
}
