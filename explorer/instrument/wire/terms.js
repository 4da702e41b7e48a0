// The words that are explained in place: explorer/terms.json, written in here by whoever puts a host's
// code together (assets.py). Empty where modules are used as they are.

/** @type {Record<string, {says: string}>} */
export const TERMS = {};
