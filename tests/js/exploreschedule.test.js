import assert from "node:assert/strict";
import test from "node:test";
import { also, createSchedule } from "../../explorer/instrument/pages/exploreschedule.js";

/** @typedef {import("../../explorer/instrument/numbers/scene.js").Scene} Scene */

/** A clock that is moved by hand. */
function handClock() {
  /** @type {Map<number, () => void>} */
  const frames = new Map();
  /** @type {Map<number, () => void>} */
  const waits = new Map();
  let last = 0;
  const run = (/** @type {Map<number, () => void>} */ acts) => {
    const now = [...acts.values()];
    acts.clear();
    for (const act of now) act();
  };
  return {
    frame: (/** @type {() => void} */ act) => {
      frames.set(++last, act);
      return last;
    },
    noFrame: (/** @type {number} */ id) => frames.delete(id),
    wait: (/** @type {() => void} */ act) => {
      waits.set(++last, act);
      return last;
    },
    noWait: (/** @type {number} */ id) => waits.delete(id),
    nextFrame: () => run(frames),
    stays: () => run(waits),
    isStill: () => !frames.size && !waits.size,
  };
}

/** Three panels and one slow part, and the list of who was painted. */
function stage() {
  const clock = handClock();
  /** @type {string[]} */
  const painted = [];
  const panel = (/** @type {string} */ name) => ({
    draw: () => painted.push(`draw ${name}`),
    focus: () => painted.push(`focus ${name}`),
  });
  const panels = [panel("map"), panel("lines"), panel("text")];
  const here = {
    renders: 0,
    rests: 0,
    atRest: () => {},
    scene: /** @type {Scene | null} */ (scene),
  };
  const schedule = createSchedule(clock, {
    panels,
    slow: [() => painted.push("slow")],
    render: () => {
      here.renders++;
      schedule.begin();
    },
    rest: () => {
      here.rests++;
      here.atRest();
    },
    sceneNow: () => here.scene,
  });
  /** Who was painted since the last time. */
  const since = () => painted.splice(0).join(", ");
  return { clock, panels, schedule, since, here };
}

const scene = /** @type {Scene} */ ({});

test("whatever is asked for in one frame is rendered once, all together", () => {
  const { clock, schedule, here } = stage();
  schedule.ask({ model: true });
  schedule.ask({ thumbs: true });
  clock.nextFrame();
  assert.equal(here.renders, 1);
  const { model, thumbs, moved } = schedule.take();
  assert.deepEqual([model, thumbs, moved], [true, true, undefined]);
  assert.deepEqual(schedule.take(), {}, "what was taken is not painted again");
  schedule.ask({});
  clock.nextFrame();
  assert.equal(here.renders, 2);
});

test("a picture is painted as a passing look only if nothing else asked for it", () => {
  const look = { model: true, peek: true };
  assert.ok(also({}, look).peek);
  assert.ok(also(look, look).peek);
  assert.ok(also(look, {}).peek, "pointing does not end a look");
  assert.ok(!also({ model: true }, look).peek);
  assert.ok(!also(look, { model: true }).peek);
});

test("the next key paints a look that waits whole, and needs no frame", () => {
  const { clock, schedule, here } = stage();
  schedule.ask({ model: true, peek: true });
  schedule.askWhole();
  schedule.begin();
  const { model, peek } = schedule.take();
  assert.deepEqual([model, Boolean(peek)], [true, false]);
  clock.nextFrame();
  assert.equal(here.renders, 0, "the frame that was asked for is not needed any more");
});

test("of a new picture all panels are painted at once, the slow parts a frame later", () => {
  const { clock, schedule, since } = stage();
  schedule.paint(scene, true, false);
  assert.equal(since(), "draw map, draw lines, draw text");
  clock.nextFrame();
  assert.equal(since(), "slow");
  assert.ok(clock.isStill());
});

test("a look paints the first panel; the others follow one a frame once it stays", () => {
  const { clock, schedule, since, here } = stage();
  schedule.paint(scene, true, true);
  assert.equal(since(), "draw map");
  clock.nextFrame();
  assert.equal(since(), "", "nothing follows while the look only passes");
  clock.stays();
  assert.deepEqual([here.rests, since()], [1, "draw lines"]);
  clock.nextFrame();
  assert.equal(since(), "draw text");
  clock.nextFrame();
  assert.equal(since(), "slow");
  assert.ok(clock.isStill());
});

test("a look that moves on to another head has not stayed", () => {
  const { clock, schedule, here } = stage();
  schedule.paint(scene, true, true);
  schedule.paint(scene, true, true);
  clock.stays();
  assert.equal(here.rests, 1);
});

test("where a look that stays asks for a picture, nobody is painted before it", () => {
  const { clock, schedule, since, here } = stage();
  here.atRest = () => schedule.ask({ model: true });
  schedule.paint(scene, true, true);
  since();
  clock.stays();
  assert.equal(since(), "");
  clock.nextFrame();
  assert.deepEqual([here.renders, since()], [1, ""]);
});

test("the panel that the hand is in is painted at once, all others in the next frame", () => {
  const { clock, schedule, since, panels } = stage();
  schedule.hand(panels[1]);
  schedule.paint(scene, false, false);
  assert.equal(since(), "focus lines");
  clock.nextFrame();
  assert.equal(since(), "focus map, focus text");
  schedule.paint(scene, false, false);
  assert.equal(since(), "focus map, focus lines, focus text", "the hand was in it for one frame");
  assert.ok(clock.isStill());
});

test("a hand that moves on leaves nobody two steps behind", () => {
  const { clock, schedule, since, panels } = stage();
  for (const panel of [panels[1], panels[1], panels[0]]) {
    schedule.hand(panel);
    schedule.paint(scene, false, false);
  }
  assert.equal(since(), "focus lines, focus lines, focus map");
  clock.nextFrame();
  assert.equal(since(), "focus lines, focus text", "each once, for the last");
});

test("what a picture had not reached yet is painted before something is pointed at in it", () => {
  const { clock, schedule, since, panels } = stage();
  schedule.paint(scene, true, true);
  since();
  schedule.hand(panels[0]);
  schedule.paint(scene, false, false);
  const drawn = "draw lines, draw text, slow, focus map, focus lines, focus text";
  assert.equal(since(), drawn);
  assert.ok(clock.isStill());
});

test("after the end nobody is painted any more", () => {
  const { clock, schedule, since, here } = stage();
  schedule.ask({ model: true });
  schedule.paint(scene, true, true);
  since();
  schedule.stop();
  clock.nextFrame();
  clock.stays();
  assert.deepEqual([since(), here.renders, here.rests], ["", 0, 0]);
});

test("after the end a picture that was half painted stays so", () => {
  const { clock, schedule, since } = stage();
  schedule.paint(scene, true, false);
  since();
  schedule.stop();
  clock.nextFrame();
  assert.equal(since(), "");
});

test("without a picture nobody follows", () => {
  const { clock, schedule, since, here } = stage();
  schedule.paint(scene, true, false);
  since();
  here.scene = null;
  clock.nextFrame();
  assert.equal(since(), "");
});
