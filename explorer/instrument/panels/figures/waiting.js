// What stands in a figure's place while its numbers are computed.

import { t } from "../../numbers/language.js";
import { h } from "../../parts/dom.js";

export const notYet = () =>
  h("p", { class: "ax-help", role: "status" }, t("These numbers are being computed."));
