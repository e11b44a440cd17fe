import { request } from 'node:http';

/** An answer this late is none. */
const ANSWER_MS = 60_000;

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {import('node:http').IncomingHttpHeaders} headers
 * @property {string} text
 */

/**
 * @param {string} url
 * @param {{ agent?: import('node:http').Agent, method?: string }} [options] without an agent, on a connection of its own
 * @returns {Promise<Answer>} fails when the connection is refused or cut off before the end of the response
 */
export function fetchText(url, { agent, method = 'GET' } = {}) {
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { agent: agent ?? false, method, signal: AbortSignal.timeout(ANSWER_MS) },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.once('end', () => resolve({ status: Number(response.statusCode), headers: response.headers, text }));
        response.once('error', reject);
      },
    );
    asked.once('error', reject);
    asked.end();
  });
}
