import express from 'express';

import { logRequests } from './logger.js';

/**
 * @typedef {object} Parts
 * @property {string} version
 * @property {import('./products.js').Products} products
 * @property {import('./cache.js').Cache} cache
 * @property {import('./metrics.js').Metrics} metrics
 * @property {import('./faults.js').Faults} faults
 * @property {import('./lifecycle.js').Lifecycle} lifecycle
 * @property {import('winston').Logger} logger
 */

/** A product's id in a path: a whole number from 1. */
const ID = /^[1-9]\d{0,8}$/;

/**
 * @param {Parts} parts
 * @returns {express.Express}
 */
export function createApp({ version, products, cache, metrics, faults, lifecycle, logger }) {
  const app = express();
  app.disable('x-powered-by');
  app.use(lifecycle.track, metrics.observe, logRequests(logger), tellVersion(version));
  app.get('/health', health(version, faults));
  app.get('/ready', readiness(lifecycle, cache));
  app.get('/metrics', metrics.expose);
  app.get('/products', faults.disturb, listProducts(products));
  app.get('/products/:id', faults.disturb, findProduct(products));
  app.use(notFound);
  app.use(failure(logger));
  return app;
}

/**
 * @param {string} version
 * @returns {express.RequestHandler}
 */
function tellVersion(version) {
  return (_request, response, next) => {
    response.set('X-Product-Api-Version', version);
    next();
  };
}

/**
 * Answers 200 also when unhealthy: the body is the verdict. A check that gets no 2xx cannot tell a sick service from
 * an unreachable one (Argo Rollouts counts it as an error of the measurement, not as a failed one).
 *
 * @param {string} version
 * @param {import('./faults.js').Faults} faults
 * @returns {express.RequestHandler}
 */
function health(version, faults) {
  return (_request, response) => {
    response.json({ status: faults.unhealthy ? 'unhealthy' : 'healthy', version });
  };
}

/**
 * @param {import('./lifecycle.js').Lifecycle} lifecycle
 * @param {import('./cache.js').Cache} cache
 * @returns {express.RequestHandler}
 */
function readiness(lifecycle, cache) {
  return async (_request, response) => {
    const reason = lifecycle.draining ? 'shutting down' : await cache.absence();
    if (reason === undefined) {
      response.json({ status: 'ready' });
    } else {
      response.status(503).json({ status: 'unready', reason });
    }
  };
}

/**
 * @param {import('./products.js').Products} products
 * @returns {express.RequestHandler}
 */
function listProducts(products) {
  return async (_request, response) => {
    const list = await products.list();
    response.json({ count: list.length, products: list });
  };
}

/**
 * @param {import('./products.js').Products} products
 * @returns {express.RequestHandler<{ id: string }>}
 */
function findProduct(products) {
  return async (request, response) => {
    const { id } = request.params;
    if (!ID.test(id)) {
      response.status(400).json({ error: `product id ${JSON.stringify(id)} is not a whole number from 1` });
      return;
    }
    const product = await products.find(Number(id));
    if (product === undefined) {
      response.status(404).json({ error: `no product ${id}` });
    } else {
      response.json(product);
    }
  };
}

/** @type {express.RequestHandler} */
const notFound = (request, response) => {
  response.status(404).json({ error: `nothing at ${request.path}` });
};

/**
 * @param {import('winston').Logger} logger
 * @returns {express.ErrorRequestHandler}
 */
function failure(logger) {
  return (error, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const status = error.status ?? 500;
    if (status >= 500) {
      logger.error('request failed', { stack: error.stack });
    }
    response.status(status).json({ error: status >= 500 ? 'internal error' : error.message });
  };
}
