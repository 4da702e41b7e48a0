// Why a payload cannot be read, in words.

import { t } from "./language.js";

/** @typedef {import("../wire/container.js").Breach} Breach */

/** @type {Record<Breach, string>} */
const BREACHES = {
  type: t("a block of the type {value}"),
  cut: t("cut after {value} bytes"),
  more: t("{value} bytes too many"),
  foreign: t("not one of this page’s"),
  header: t("its header cannot be read"),
};

/** @param {import("../wire/container.js").Broken} broken */
export const brokenWords = ({ message, value }) =>
  (BREACHES[/** @type {Breach} */ (message)] ?? message).replace("{value}", () => String(value));
