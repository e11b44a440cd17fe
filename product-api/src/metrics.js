import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Label of requests that match no route: their paths are the callers' and without bound. */
const UNMATCHED = 'unmatched';

/** What Prometheus scrapes: requests, cache reads and the Node.js process. */
export class Metrics {
  registry = new Registry();

  #duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from receiving a request to sending its response, in seconds',
    labelNames: ['method', 'route', 'status'],
    registers: [this.registry],
  });

  #requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered',
    labelNames: ['method', 'route', 'status'],
    registers: [this.registry],
  });

  cacheHits = new Counter({
    name: 'cache_hits_total',
    help: 'Reads answered from the cache',
    registers: [this.registry],
  });

  cacheMisses = new Counter({
    name: 'cache_misses_total',
    help: 'Reads that the cache did not answer: it held no value, or was away',
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** @type {import('express').RequestHandler} */
  observe = (request, response, next) => {
    const stop = this.#duration.startTimer({ method: request.method });
    response.once('finish', () => {
      // The route is known only after the router has run.
      const labels = { route: request.route?.path ?? UNMATCHED, status: String(response.statusCode) };
      stop(labels);
      this.#requests.inc({ method: request.method, ...labels });
    });
    next();
  };

  /** @type {import('express').RequestHandler} */
  expose = async (_request, response) => {
    response.type(this.registry.contentType).send(await this.registry.metrics());
  };
}
