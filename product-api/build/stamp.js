/** Writes the version of a release beside the sources: `node build/stamp.js 1.0.0`. The image build runs it. */
import { writeFile } from 'node:fs/promises';

import { StartError } from '../src/errors.js';
import { parseVersion } from '../src/version.js';

try {
  const version = parseVersion(process.argv[2]);
  await writeFile(new URL('../version.json', import.meta.url), `${JSON.stringify({ version })}\n`);
} catch (error) {
  if (!(error instanceof StartError)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
