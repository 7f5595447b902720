import type { Value } from "../words.js";
import type { FrameWriter } from "./frame.js";
import type { LaidSlices, LaidStep } from "./laid-out.js";

/**
 * Rounds of a body over slices that lie where they are. Of its argument block only what changes is written again: the two
 * storages of each carry, which change places, and the slices.
 */
export function emitScan(w: FrameWriter, s: Extract<LaidStep, { readonly kind: "scan" }>): void {
  if (s.length === 0) return;
  const first = (x: LaidSlices): number => {
    const atEnd = s.reverse && s.length > 1 && x.stride !== 0;
    return w.word(atEnd ? w.add(w.place(x.place), w.i32((x.stride * (s.length - 1)) | 0)) : w.place(x.place));
  };
  const now = s.carry.map((p) => w.word(w.place(p)));
  const next = s.spare.map((p, k) => (p === s.carry[k] ? now[k]! : w.word(w.place(p))));
  const xs = s.xs.map(first);
  const ys = s.ys.map(first);
  const left = w.word(w.i32(s.length));
  const block = w.word(w.inArena(s.frame.block));
  let word = 0;
  const argument = (v: Value): void => w.storeWord(block, v, 4 * word++);
  argument(w.inArena(s.frame.arena));
  for (const p of s.consts) argument(w.place(p));
  w.times(left, () => {
    for (const local of [...now, ...xs, ...next, ...ys]) argument(local);
    w.enterFunction(s.body, block);
    now.forEach((local, k) => {
      if (next[k] !== local) w.swap(local, next[k]!);
    });
    [...s.xs, ...s.ys].forEach(({ stride }, k) => {
      if (stride !== 0) w.advance(k < xs.length ? xs[k]! : ys[k - xs.length]!, w.i32(s.reverse ? -stride : stride));
    });
  });
  if (s.length % 2 === 1)
    s.carry.forEach((p, k) => {
      if (next[k] !== now[k]) w.copy(w.place(p), now[k]!, s.bytes[k]!);
    });
  for (const local of new Set([...now, ...next, ...xs, ...ys, left, block])) w.f.free(local);
}

/** while (condition(consts, state)) state = body(consts, state). New state goes to the spare storage, then the two change places. */
export function emitLoop(w: FrameWriter, s: Extract<LaidStep, { readonly kind: "loop" }>): void {
  const condition = w.layout.functions[s.condition]!.source;
  const body = w.layout.functions[s.body]!.source;
  const isInPlace = (k: number): boolean => s.spare[k] === s.state[k];
  const now = s.state.map((p) => w.word(w.place(p)));
  const next = s.spare.map((p, k) => (isInPlace(k) ? now[k]! : w.word(w.place(p))));
  // a function may leave out what is constant
  const inputs = (n: number): readonly Value[] =>
    n === now.length ? now : [...s.consts.map((p) => w.place(p)), ...now];
  const bodyInputs = inputs(body.inputs.length);
  const conditionInputs = inputs(condition.inputs.length);
  const handedOn = (k: number): boolean => body.outputIsInput[k] === bodyInputs.length - now.length + k;
  w.f.block((done) => {
    w.f.loop((again) => {
      w.invoke(s.condition, s.frame, [...conditionInputs, w.place(s.verdict)]);
      const input = condition.outputIsInput[0];
      const verdict = input == null ? w.place(s.verdict) : conditionInputs[input]!;
      w.brIf(done, w.eq(w.loadWord(verdict), w.i32(0)));
      w.invoke(s.body, s.frame, [...bodyInputs, ...next]);
      body.outputIsInput.forEach((from, k) => {
        if (from !== null && !handedOn(k)) w.copy(next[k]!, bodyInputs[from]!, s.bytes[k]!);
      });
      for (let k = 0; k < now.length; k++) if (!handedOn(k) && !isInPlace(k)) w.swap(now[k]!, next[k]!);
      w.f.br(again);
    });
  });
  s.state.forEach((p, k) => {
    if (handedOn(k) || isInPlace(k)) return;
    w.when(w.ne(now[k]!, w.place(p)), () => w.copy(w.place(p), now[k]!, s.bytes[k]!));
  });
  for (const local of new Set([...now, ...next])) w.f.free(local);
}
