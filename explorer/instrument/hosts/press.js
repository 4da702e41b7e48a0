// Buttons of Streamlit's that a page keeps out of sight: what they do is done from the instrument.

/** Presses one. @param {string} key */
export const press = (key) => () =>
  /** @type {HTMLElement | null} */ (document.querySelector(`.st-key-${key} button`))?.click();
