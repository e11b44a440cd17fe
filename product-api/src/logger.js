import winston from 'winston';

/** Paths that machines ask every few seconds: logged at debug, so that they do not bury the rest. */
const PROBES = new Set(['/health', '/ready', '/metrics']);

/**
 * Logger that writes one JSON object a line to standard output.
 *
 * @param {string} level least severe level that is written
 * @param {Record<string, string>} [fields] added to every line
 * @returns {winston.Logger}
 */
export function createLogger(level, fields = {}) {
  return winston.createLogger({
    level,
    defaultMeta: { service: 'product-api', ...fields },
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [new winston.transports.Console()],
  });
}

/**
 * @param {winston.Logger} logger
 * @returns {import('express').RequestHandler} logs each request when its response is sent
 */
export function logRequests(logger) {
  return (request, response, next) => {
    const startedAt = performance.now();
    response.once('finish', () => {
      logger.log(PROBES.has(request.path) ? 'debug' : 'info', 'request', {
        method: request.method,
        path: request.path,
        status: response.statusCode,
        durationMs: Math.round(performance.now() - startedAt),
      });
    });
    next();
  };
}
