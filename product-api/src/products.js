/**
 * @typedef {object} Product
 * @property {number} id
 * @property {string} name
 * @property {number} price in euro
 * @property {string} [category] from release 1.0.0 on
 */

/** @type {readonly Required<Product>[]} */
const EVERY_PRODUCT = [
  { id: 1, name: 'Laptop', price: 1299, category: 'computers' },
  { id: 2, name: 'Monitor', price: 349, category: 'computers' },
  { id: 3, name: 'Keyboard', price: 89, category: 'accessories' },
  { id: 4, name: 'Mouse', price: 39, category: 'accessories' },
  { id: 5, name: 'Headset', price: 129, category: 'audio' },
  { id: 6, name: 'Speaker', price: 79, category: 'audio' },
];

/** Category that came with release 1.0.0. */
const AUDIO = 'audio';

/**
 * What a release sells. From 1.0.0 on products tell their category, and there is audio; before, neither.
 *
 * @param {string} version of the release
 * @returns {readonly Product[]}
 */
export function catalogueOf(version) {
  const major = Number(version.split('.')[0]);
  if (major >= 1) {
    return EVERY_PRODUCT;
  }
  return EVERY_PRODUCT.filter(({ category }) => category !== AUDIO).map(({ id, name, price }) => ({ id, name, price }));
}

/** A catalogue read through the cache. */
export class Products {
  #catalogue;
  #cache;
  #keyPrefix;

  /**
   * @param {object} options
   * @param {readonly Product[]} options.catalogue
   * @param {import('./cache.js').Cache} options.cache
   * @param {string} options.version part of the cache keys: releases that share a Redis do not read each other's values
   */
  constructor({ catalogue, cache, version }) {
    this.#catalogue = catalogue;
    this.#cache = cache;
    this.#keyPrefix = `product-api:${version}`;
  }

  /** @returns {Promise<readonly Product[]>} */
  async list() {
    return (await this.#cache.through(`${this.#keyPrefix}:products`, () => this.#catalogue)) ?? [];
  }

  /**
   * @param {number} id
   * @returns {Promise<Product | undefined>} undefined when there is no such product
   */
  find(id) {
    return this.#cache.through(`${this.#keyPrefix}:product:${id}`, () => this.#catalogue.find((one) => one.id === id));
  }
}
