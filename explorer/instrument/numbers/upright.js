// Which texts stand upright in a column: Chinese characters, kana, Hangul and their marks do, one
// below the other, while letters lie on their side. As Unicode's Vertical_Orientation has it, but for
// brackets and quotation marks of the full width, which a column of one or two would not turn.

const UPRIGHT =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303f\ufe30-\ufe4f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65“”‘’…]+$/u;
const LETTER =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303f\ufe30-\uff65]/u;

/** Whether a label in a column is written upright, one character below the other. @param {string} text */
export const isUpright = (text) => UPRIGHT.test(text) && LETTER.test(text);
