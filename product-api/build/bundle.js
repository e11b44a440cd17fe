/**
 * Writes the service, with all that it imports, into one file: `dist/index.js`. A pod starts with half the work then,
 * as Node.js neither looks up nor reads hundreds of files. The image build runs it.
 */
import { build } from 'esbuild';

await build({
  entryPoints: ['src/index.js'],
  outfile: 'dist/index.js',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.11',
  // Packages in CommonJS `require` the modules of Node.js, which an ES module cannot.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
  },
});
