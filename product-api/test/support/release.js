import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const PROJECT = path.resolve(import.meta.dirname, '../..');

/**
 * A tree like the one in an image, in a folder that `t` removes: sources without a version, and the dependencies.
 *
 * @param {{ after: (end: () => Promise<void>) => void }} t
 * @returns {Promise<string>} its path
 */
export async function unstampedTree(t) {
  const tree = await mkdtemp(path.join(tmpdir(), 'product-api-'));
  t.after(() => rm(tree, { recursive: true }));
  for (const part of ['package.json', 'build', 'src']) {
    await cp(path.join(PROJECT, part), path.join(tree, part), { recursive: true });
  }
  await symlink(path.join(PROJECT, 'node_modules'), path.join(tree, 'node_modules'));
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
