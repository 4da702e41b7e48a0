// The code of the worker that makes tiles, as a text: whoever puts a host's code together
// (assets.py) writes it in here, as a worker has no neighbours to import. Empty where modules are
// used as they are.

export const WORKER_TEXT = "";
