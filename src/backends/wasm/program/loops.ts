import { Op } from "../opcodes.js";
import { type FrameWriter, PARAMS } from "./frame.js";
import type { LaidSlices, LaidStep } from "./laid-out.js";

/**
 * Rounds of a body over slices that lie where they are. Of its argument block only what changes is written again: the two
 * storages of each carry, which change places, and the slices.
 */
export function emitScan(w: FrameWriter, s: Extract<LaidStep, { readonly kind: "scan" }>): void {
  const { f } = w;
  if (s.length === 0) return;
  const pointer = (push: () => void): number => {
    const local = f.local("i32");
    push();
    f.set(local);
    return local;
  };
  const first = (x: LaidSlices): number =>
    pointer(() => {
      w.place(x.place);
      if (!s.reverse || s.length === 1 || x.stride === 0) return;
      f.i32((x.stride * (s.length - 1)) | 0);
      f.op(Op.i32_add);
    });
  const now = s.carry.map((p) => pointer(() => w.place(p)));
  const next = s.spare.map((p, k) => (p === s.carry[k] ? now[k]! : pointer(() => w.place(p))));
  const xs = s.xs.map(first);
  const ys = s.ys.map(first);
  const left = pointer(() => f.i32(s.length));
  const block = pointer(() => w.inArena(s.frame.block));
  let word = 0;
  const argument = (push: () => void): void => {
    f.get(block);
    push();
    f.store(Op.i32_store, 4 * word++);
  };
  argument(() => w.inArena(s.frame.arena));
  for (const p of s.consts) argument(() => w.place(p));
  f.loop((again) => {
    for (const local of [...now, ...xs, ...next, ...ys]) argument(() => f.get(local));
    f.get(block);
    if (w.generic) f.get(PARAMS);
    f.call(w.functions[s.body]!);
    now.forEach((local, k) => {
      if (next[k] === local) return;
      f.get(local);
      f.get(next[k]!);
      f.set(local);
      f.set(next[k]!);
    });
    [...s.xs, ...s.ys].forEach(({ stride }, k) => {
      if (stride === 0) return;
      const local = k < xs.length ? xs[k]! : ys[k - xs.length]!;
      f.get(local);
      f.i32(s.reverse ? -stride : stride);
      f.op(Op.i32_add);
      f.set(local);
    });
    f.get(left);
    f.i32(1);
    f.op(Op.i32_sub);
    f.tee(left);
    f.brIf(again);
  });
  if (s.length % 2 === 1) {
    s.carry.forEach((p, k) => {
      if (next[k] === now[k]) return;
      w.copy(
        () => w.place(p),
        () => f.get(now[k]!),
        s.bytes[k]!,
      );
    });
  }
  for (const local of new Set([...now, ...next, ...xs, ...ys, left, block])) f.free(local);
}

/** while (condition(consts, state)) state = body(consts, state). New state goes to the spare storage, then the two change places. */
export function emitLoop(w: FrameWriter, s: Extract<LaidStep, { readonly kind: "loop" }>): void {
  const { f } = w;
  const condition = w.layout.functions[s.condition]!.source;
  const body = w.layout.functions[s.body]!.source;
  const now = s.state.map(() => f.local("i32"));
  const isInPlace = (k: number): boolean => s.spare[k] === s.state[k];
  const next = s.state.map((_, k) => (isInPlace(k) ? now[k]! : f.local("i32")));
  s.state.forEach((p, k) => {
    w.place(p);
    f.set(now[k]!);
    if (isInPlace(k)) return;
    w.place(s.spare[k]!);
    f.set(next[k]!);
  });
  const state = now.map((local) => () => f.get(local));
  // a function may leave out what is constant
  const inputs = (n: number): (() => void)[] =>
    n === state.length ? state : [...s.consts.map((p) => () => w.place(p)), ...state];
  const bodyInputs = inputs(body.inputs.length);
  const conditionInputs = inputs(condition.inputs.length);
  const handedOn = (k: number): boolean => body.outputIsInput[k] === bodyInputs.length - state.length + k;
  f.block((done) => {
    f.loop((again) => {
      w.invoke(s.condition, s.frame, [...conditionInputs, () => w.place(s.verdict)]);
      const input = condition.outputIsInput[0];
      if (input == null) w.place(s.verdict);
      else conditionInputs[input]!();
      f.load(Op.i32_load);
      f.op(Op.i32_eqz);
      f.brIf(done);
      w.invoke(s.body, s.frame, [...bodyInputs, ...next.map((local) => () => f.get(local))]);
      body.outputIsInput.forEach((from, k) => {
        if (from !== null && !handedOn(k)) w.copy(() => f.get(next[k]!), bodyInputs[from]!, s.bytes[k]!);
      });
      for (let k = 0; k < now.length; k++) {
        if (handedOn(k) || isInPlace(k)) continue;
        f.get(now[k]!);
        f.get(next[k]!);
        f.set(now[k]!);
        f.set(next[k]!);
      }
      f.br(again);
    });
  });
  s.state.forEach((p, k) => {
    if (handedOn(k) || isInPlace(k)) return;
    f.get(now[k]!);
    w.place(p);
    f.op(Op.i32_ne);
    f.if(() =>
      w.copy(
        () => w.place(p),
        () => f.get(now[k]!),
        s.bytes[k]!,
      ),
    );
  });
  for (const local of new Set([...now, ...next])) f.free(local);
}
