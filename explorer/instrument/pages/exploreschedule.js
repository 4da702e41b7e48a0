// Who is painted in which frame. The panel that the hand is in is painted at once, and so is the
// heatmap of a head that is looked at; the others follow in the next frames, or once the look
// stays, unless the hand has moved on.

/**
 * @typedef {import("../numbers/scene.js").Scene} Scene
 * @typedef {(scene: Scene) => void} Paint
 * @typedef {{draw: Paint, focus: Paint}} Panel
 * @typedef {{thumbs?: boolean, smalls?: boolean, model?: boolean, moved?: boolean, peek?: boolean}} Change
 *   what must be painted anew; smalls: small pictures alone; peek: only for a look, so the panels may follow one frame each
 * @typedef {{frame: (act: () => void) => number, noFrame: (frame: number) => void,
 *            wait: (act: () => void, ms: number) => number, noWait: (wait: number) => void}} Clock
 * @typedef {{now: Paint[], undrawn: Paint[], behind: Paint[]}} Plan
 *   undrawn: what a new picture has not reached yet; behind: what does not show yet what is pointed at
 * @typedef {{panels: Panel[], slow: Paint[], render: () => void, rest: () => void,
 *            sceneNow: () => Scene | null}} Players
 *   panels: the first is the one that shows a look at once; slow: what a new picture reaches last;
 *   render: called once in a frame for all that was asked for; rest: called when a look stays
 */

const REST = 60; // ms that a look at a head stays before all panels follow it

/** The browser's. @type {Clock} */
export const CLOCK = {
  frame: (act) => requestAnimationFrame(act),
  noFrame: (frame) => cancelAnimationFrame(frame),
  wait: (act, ms) => window.setTimeout(act, ms),
  noWait: (wait) => clearTimeout(wait),
};

/**
 * What waits to be painted, and one thing more. Only what is all for a look is for a look.
 * @param {Change} waiting @param {Change} what
 * @returns {Change}
 */
export const also = (waiting, what) => ({
  thumbs: waiting.thumbs || what.thumbs,
  smalls: waiting.smalls || what.smalls,
  model: waiting.model || what.model,
  moved: waiting.moved || what.moved,
  peek: what.model ? what.peek && (!waiting.model || waiting.peek) : waiting.peek,
});

/**
 * What is painted now, and what in the frames after: one of `undrawn` in each, all of `behind` in
 * the first.
 * @param {Panel[]} panels @param {Paint[]} slow
 * @param {{anew: boolean, look: boolean, undrawn: Paint[], source: Panel | null}} how
 *   anew: the picture is another, not only what is pointed at in it; look: only for a look;
 *   undrawn: what the picture before had still to reach; source: the panel that the hand is in
 * @returns {Plan}
 */
export function planOf(panels, slow, { anew, look, undrawn, source }) {
  const draws = panels.map((panel) => panel.draw);
  const focuses = panels.map((panel) => panel.focus);
  if (anew) {
    const early = look ? 1 : draws.length;
    return { now: draws.slice(0, early), undrawn: [...draws.slice(early), ...slow], behind: [] };
  }
  const at = source ? panels.indexOf(source) : -1;
  if (undrawn.length || at < 0) return { now: [...undrawn, ...focuses], undrawn: [], behind: [] };
  return { now: [focuses[at]], undrawn: [], behind: focuses.filter((_, i) => i !== at) };
}

/**
 * What is asked for until a frame paints it.
 * @param {Clock} clock @param {() => void} render
 */
function createAsking(clock, render) {
  /** @type {Change} */
  let waiting = {};
  let frame = 0;
  return {
    /** @param {Change} what must be painted */
    ask: (what) => {
      waiting = also(waiting, what);
      if (!frame) frame = clock.frame(render);
    },
    /** What waits is painted whole, even if it was only for a look. */
    askWhole: () => {
      waiting = also(waiting, { model: waiting.model });
    },
    isAsked: () => frame !== 0,
    /** A frame begins: it is the one that was asked for, or it comes before that one. */
    begin: () => {
      clock.noFrame(frame);
      frame = 0;
    },
    /** All that was asked for since the last time. */
    take: () => {
      const what = waiting;
      waiting = {};
      return what;
    },
  };
}

/** @param {Clock} clock @param {Players} players */
export function createSchedule(clock, { panels, slow, render, rest, sceneNow }) {
  const asking = createAsking(clock, render);
  let resting = 0; // the clock of a look
  /** @type {Panel | null} */
  let source = null; // the panel in which something was pointed at, since the last frame
  /** @type {Plan} */
  let plan = { now: [], undrawn: [], behind: [] };

  function next() {
    const scene = sceneNow();
    if (!scene || asking.isAsked()) return; // a new picture is on its way
    for (const paint of plan.behind.splice(0)) paint(scene);
    plan.undrawn.shift()?.(scene);
    if (plan.undrawn.length) clock.frame(next);
  }

  function stayed() {
    rest();
    next();
  }

  return {
    ...asking,
    /** @param {Panel | null} panel that the hand is in; null: in none */
    hand: (panel) => {
      source = panel;
    },
    /** @param {Scene} scene @param {boolean} anew @param {boolean} look */
    paint: (scene, anew, look) => {
      clock.noWait(resting);
      plan = planOf(panels, slow, { anew, look, undrawn: plan.undrawn, source });
      source = null;
      for (const paint of plan.now) paint(scene);
      if (look) resting = clock.wait(stayed, REST);
      else if (plan.undrawn.length || plan.behind.length) clock.frame(next);
    },
    stop: () => {
      asking.begin(); // no frame follows
      clock.noWait(resting);
      plan.undrawn = [];
    },
  };
}
