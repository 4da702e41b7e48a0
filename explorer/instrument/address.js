// The page's address as the place where a view is kept, for hosts in Streamlit.

const WRITE_AFTER = 150; // ms; browsers limit how often a page may rewrite its address

/**
 * @param {string[]} names the view's own parameters; all others are left alone
 */
export function createAddress(names) {
  /** @type {URL | null} */
  let next = null;
  let timer = 0;
  const write = () => {
    clearTimeout(timer);
    timer = 0;
    if (next) window.history.replaceState(window.history.state, "", next);
    next = null;
  };
  return {
    params: () => new URLSearchParams(window.location.search),
    /** @param {Record<string, string>} params @param {Record<string, string> | null} link the run's part */
    onView: (params, link) => {
      const url = new URL(window.location.href);
      for (const name of names) url.searchParams.delete(name);
      for (const [name, value] of Object.entries({ ...(link ?? {}), ...params }))
        url.searchParams.set(name, value);
      next = url;
      if (!timer) timer = window.setTimeout(write, WRITE_AFTER);
    },
    copyLink: async () => {
      write();
      try {
        await navigator.clipboard.writeText(window.location.href);
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** Whether two views show the same stretch of the same memory. @param {Uint8Array} one @param {Uint8Array | null} other */
export const sameBytes = (one, other) =>
  one.buffer === other?.buffer &&
  one.byteOffset === other.byteOffset &&
  one.length === other.length;
