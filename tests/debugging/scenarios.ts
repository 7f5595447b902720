import {
  checkpoint,
  checkpointPolicies,
  customJvp,
  customVjp,
  debug,
  grad,
  hessian,
  ioCallback,
  jit,
  jvp,
  lax,
  linearize,
  type NDArray,
  numpy as np,
  pureCallback,
  vjp,
  vmap,
  type VmapMethod,
} from "../../src/index.js";
import { int as i32, scalar as s } from "../arrays.js";

/** The scenarios of callbacks_jax.py, by their names: each prints what real JAX printed there. */
const f32 = { shape: [], dtype: "float32" } as const;
const arange = (from: number, to: number): NDArray => np.arange(from, to, 1, { dtype: "float32" });

const printer =
  (name = "x") =>
  (x: NDArray): NDArray => {
    debug.print(`${name} = {}`, x);
    return np.sin(x).mul(x);
  };
/** A float as Python prints it. */
const float = (x: NDArray): string => {
  const v = x.item();
  return Number.isInteger(v) ? `${v}.0` : String(v);
};
const list = (x: NDArray): string => `[${(x.js() as number[]).map((v) => `${v}.`).join(" ")}]`;

const branches = [
  (x: NDArray): NDArray => {
    debug.print("true {}", x);
    return x;
  },
  (x: NDArray): NDArray => {
    debug.print("false {}", x);
    return x.neg();
  },
] as const;

const doublingBelow =
  (limit: number) =>
  (x: NDArray): NDArray =>
    lax.whileLoop(
      (v: NDArray) => v.less(limit),
      (v: NDArray) => {
        debug.print("x = {}", v);
        return v.mul(2);
      },
      x,
    );
const product = (c: NDArray): NDArray =>
  lax.scan(
    (c: NDArray, x: NDArray) => {
      debug.print("c = {} x = {}", c, x);
      return [c.mul(x), null];
    },
    c,
    arange(1, 4),
  )[0];

const intermediate = (x: NDArray): NDArray => {
  const y = np.sin(x);
  debug.print("y = {:.4f}", y);
  return np.cos(y);
};

function pureVmapped(name: string, vmapMethod: VmapMethod): void {
  const called = (...xs: NDArray[]): NDArray => {
    console.log(name, ...xs.map((x) => `[${x.shape.join(", ")}]`));
    return xs.reduce((a, b) => a.add(b));
  };
  const f = (x: NDArray, y: NDArray): NDArray => pureCallback(called, f32, x, y, { vmapMethod });
  for (const inner of [f, jit(f)]) console.log(list(vmap(inner, { inAxes: [0, null] })(arange(0, 3), s(1))));
}

export const scenarios: Readonly<Record<string, () => void>> = {
  eager: () => void printer()(s(0.5)),
  formats() {
    const p = debug.print;
    const times = (n: number, x: NDArray): NDArray[] => Array.from({ length: n }, () => x);
    p("plain");
    p("{} and {}", s(1.5), i32(3));
    p("{1} {0}", 1, 2);
    p("{x} {y}", { x: np.array([1, 2.5, -3]), y: true });
    p("{a} {}", 7, { a: 8 });
    p("{:.3f}|{:8.2f}|{:<8.2f}|{:^8.1f}|{:+.1f}|{:08.3f}", ...times(6, s(3.14159)));
    p("{:e}|{:.2E}|{:g}|{:.3g}|{:%}|{:.1%}", ...times(6, s(0.125)));
    p("{:5d}|{:<5d}|{:05d}|{:+d}|{:x}|{:b}|{:,}|{:o}", ...times(8, i32(1234)));
    p("{:*^9.2f}|{:_>7d}", s(2.5), i32(42));
    p("{} {{literal}}", 1);
    p("{:.0f} {:.0f} {:.1f} {:.3g} {:.2e}", ...[0.5, 2.5, 0.25, 0.00012345, 1.125].map(s));
    p("{:>10}|{:10}|{:<10}|{:,.2f}|{: f}|{:#x}", i32(5), s(1.5), np.array(true), s(1234567), s(2), i32(255));
    p("{!s} {!s} {!s} {!s}", s(0.1), s(123456789), s(1e-5), s(3));
    p("{}", arange(0, 12).div(16).reshape(2, 6));
    p("{}", np.arange(60).mul(1000).reshape(2, 30));
    p("{} {} {}", s(1e20), s(1e-7), s(123456));
    p("{} {} {}", s(NaN), s(-Infinity), s(-0));
    p("{} {}", np.array([true, false]), np.array(true));
    p("{}", np.array([[1, 20], [300, 4]], { dtype: "int32" })); // prettier-ignore
    p("{}", np.array([1e-5, 1, 1000]));
    p("{}", np.zeros([0]));
    p("{}", np.arange(40));
    p("{}", arange(0, 40).mul(1.25));
    p("{}", np.arange(2000));
    p("{}", np.ones([2, 2, 2]));
    p("{}", np.array([0.1, 1 / 3, 1e6]));
    p("{:.2f} {name:>6}", s(2), { name: "abc" });
    p("{:{w}.{d}f}", s(2), { w: 8, d: 3 });
    p("{} {:.2f}", 2.5, 3);
    p("{x.shape} {x.dtype}", { x: np.zeros([2, 3]) });
    p("{!s:>6}|{!r}", i32(5), "q");
  },
  jit_prints_on_every_call() {
    const f = jit(printer());
    for (const x of [1, 2, 3]) f(s(x));
  },
  jit_result_unused() {
    const f = jit((x: NDArray) => {
      debug.print("y = {}", x.mul(2));
      return x;
    });
    f(s(1));
    f(s(4));
  },
  ordered_in_jit() {
    jit((x: NDArray) => {
      debug.print("a {}", x, { ordered: true });
      const y = x.add(1);
      debug.print("b {}", y, { ordered: true });
      debug.print("c {}", np.sin(x).mul(0), { ordered: true });
      return y;
    })(s(1));
  },
  nested_jit() {
    const inner = jit(printer("inner"));
    jit((x: NDArray) => (inner(x) as NDArray).add(inner(x.add(1)) as NDArray))(s(1));
  },
  vmap_eager: () => void vmap(printer())(arange(0, 3)),
  vmap_jit: () => void jit(vmap(printer()))(arange(0, 3)),
  jit_in_vmap: () => void vmap(jit(printer()))(arange(0, 3)),
  vmap_of_some: () =>
    void vmap((x: NDArray, y: NDArray) => debug.print("{} {}", x, y), { inAxes: [0, null] })(
      arange(0, 3),
      np.ones([2]),
    ),
  vmap_no_operand() {
    vmap((x: NDArray) => {
      debug.print("hello");
      return x;
    })(arange(0, 3));
  },
  vmap_ordered() {
    const f = (x: NDArray): NDArray => {
      debug.print("a {}", x, { ordered: true });
      debug.print("b {}", x, { ordered: true });
      return x;
    };
    vmap(f)(arange(0, 2));
    jit(vmap(f))(arange(0, 2));
  },
  vmap_vmap() {
    const f = (x: NDArray, y: NDArray): NDArray => {
      debug.print("{} {}", x, y);
      return x.add(y);
    };
    vmap(vmap(f, { inAxes: [null, 0] }), { inAxes: [0, null] })(arange(0, 2), arange(0, 3));
  },
  grad_eager: () => void grad(printer())(s(0.5)),
  grad_of_jit: () => void grad(jit(printer()))(s(0.5)),
  jit_of_grad() {
    const g = jit(grad(printer()));
    g(s(0.5));
    g(s(0.75));
  },
  grad_grad: () => void grad(grad(printer()))(s(0.5)),
  grad_grad_jit: () => void grad(grad(jit(printer())))(s(0.5)),
  jvp_eager: () => void jvp(printer(), [s(0.5)], [s(1)]),
  jvp_of_jit: () => void jvp(jit(printer()), [s(0.5)], [s(1)]),
  linearize_then_push() {
    const [, push] = linearize(printer(), s(0.5));
    push(s(1));
    push(s(2));
  },
  vjp_then_pull() {
    const [, pull] = vjp(printer(), s(0.5));
    pull(s(1));
    pull(s(2));
  },
  vmap_of_grad: () => void vmap(grad(printer()))(arange(1, 3)),
  grad_of_vmap: () => void grad((x: NDArray) => np.sum(vmap(printer())(x)))(arange(1, 3)),
  hessian_prints: () => void hessian(printer())(s(0.5)),
  checkpoint_grad: () => void grad(checkpoint(printer()))(s(0.5)),
  checkpoint_jit_grad: () => void jit(grad(checkpoint(printer())))(s(0.5)),
  checkpoint_forward: () => void checkpoint(printer())(s(0.5)),
  checkpoint_everything_saveable: () =>
    void grad(checkpoint(printer(), { policy: checkpointPolicies.everythingSaveable }))(s(0.5)),
  checkpoint_intermediate: () => void grad(checkpoint(intermediate))(s(0.5)),
  checkpoint_intermediate_everything: () =>
    void grad(checkpoint(intermediate, { policy: checkpointPolicies.everythingSaveable }))(s(0.5)),
  checkpoint_no_operand() {
    const f = (x: NDArray): NDArray => {
      debug.print("here");
      return np.sin(x);
    };
    grad(checkpoint(f))(s(0.5));
  },
  checkpoint_of_scan() {
    const f = (x: NDArray): NDArray =>
      lax.scan(
        (c: NDArray) => {
          debug.print("c = {:.4f}", c);
          return [np.sin(c), null];
        },
        x,
        null,
        { length: 2 },
      )[0];
    grad(checkpoint(f))(s(0.5));
  },
  scan_jit() {
    const body = (c: NDArray, x: NDArray): readonly [NDArray, NDArray] => {
      debug.print("c = {} x = {}", c, x);
      return [c.add(x), c.mul(x)];
    };
    lax.scan(body, s(0), arange(0, 3));
  },
  scan_reverse() {
    const body = (c: NDArray, x: NDArray): readonly [NDArray, NDArray] => {
      debug.print("x = {}", x);
      return [c.add(x), c];
    };
    lax.scan(body, s(0), arange(0, 3), { reverse: true });
  },
  scan_grad: () => void grad(product)(s(2)),
  scan_grad_jit: () => void jit(grad(product))(s(2)),
  scan_invariant() {
    const f = (w: NDArray): NDArray =>
      lax.scan(
        (c: NDArray) => {
          debug.print("w = {}", w);
          return [c.mul(np.sin(w)), null];
        },
        s(1),
        null,
        { length: 3 },
      )[0];
    f(s(2));
  },
  scan_vmap() {
    const body = (c: NDArray, x: NDArray): readonly [NDArray, null] => {
      debug.print("c = {} x = {}", c, x, { ordered: true });
      return [c.add(x), null];
    };
    vmap((c: NDArray) => lax.scan(body, c, arange(0, 2))[0])(arange(0, 2));
  },
  while_loop_prints: () => void doublingBelow(10)(s(1)),
  while_condition_prints() {
    const holds = (x: NDArray): NDArray => {
      debug.print("x = {}", x, { ordered: true });
      return x.less(4);
    };
    lax.whileLoop(holds, (x: NDArray) => x.mul(2), s(1));
  },
  while_jvp: () => void jvp(doublingBelow(10), [s(1)], [s(1)]),
  while_linearize() {
    const [, push] = linearize(doublingBelow(6), s(1));
    push(s(1));
  },
  while_vmap: () => void vmap(doublingBelow(6))(np.array([1, 4])),
  fori_prints() {
    const body = (i: NDArray, x: NDArray): NDArray => {
      debug.print("i = {} x = {}", i, x);
      return x.mul(2);
    };
    lax.foriLoop(0, 3, body, s(1));
  },
  cond_prints_one_branch() {
    const g = jit((p: NDArray, x: NDArray) => lax.cond(p, ...branches, x));
    g(true, s(1));
    g(false, s(2));
    lax.cond(true, ...branches, s(3));
  },
  cond_grad() {
    const g = grad((x: NDArray) => lax.cond(x.greater(0), ...branches, x));
    g(s(2));
    jit(g)(s(-2));
  },
  cond_vmap_shared_predicate: () =>
    void vmap((p: NDArray, x: NDArray) => lax.cond(p, ...branches, x), { inAxes: [null, 0] })(
      np.array(true),
      arange(0, 2),
    ),
  cond_vmap_own_predicate: () =>
    void vmap((p: NDArray, x: NDArray) => lax.cond(p, ...branches, x))(np.array([true, false]), arange(0, 2)),
  switch_prints() {
    const fs = [0, 1, 2].map((k) => (x: NDArray) => debug.print("branch {}: {}", k, x));
    jit((i: NDArray, x: NDArray) => lax.switch(i, fs, x))(2, s(1));
  },
  map_prints: () => void lax.map(printer(), arange(0, 2)),
  custom_jvp_prints() {
    const f = customJvp((x: NDArray) => {
      debug.print("f {}", x);
      return np.sin(x);
    });
    f.defjvp(([x], [t]) => {
      debug.print("rule {}", x);
      return [f(x), np.cos(x).mul(t)];
    });
    f(s(0.5));
    grad(f)(s(0.5));
    jit(grad(f))(s(0.25));
  },
  custom_vjp_prints() {
    const f = customVjp((x: NDArray) => {
      debug.print("f {}", x);
      return np.sin(x);
    });
    f.defvjp(
      (x) => {
        debug.print("fwd {}", x);
        return [np.sin(x), x] as const;
      },
      (x, ct) => {
        debug.print("bwd {} {}", x, ct);
        return [np.cos(x).mul(ct)];
      },
    );
    f(s(0.5));
    grad(f)(s(0.5));
    jit(grad(f))(s(0.25));
  },
  pure_callback_eager_and_jit() {
    const called = (a: NDArray, b: NDArray): NDArray => {
      console.log("called [] []");
      return a.add(b);
    };
    const f = (x: NDArray): NDArray => pureCallback(called, f32, x, x).mul(2);
    console.log(float(f(s(1.5))));
    console.log(float(jit(f)(s(1.5))));
  },
  pure_callback_vmap_sequential: () => pureVmapped("sequential", "sequential"),
  pure_callback_vmap_sequential_unrolled: () => pureVmapped("sequential_unrolled", "sequentialUnrolled"),
  pure_callback_vmap_expand_dims: () => pureVmapped("expand_dims", "expandDims"),
  pure_callback_vmap_broadcast_all: () => pureVmapped("broadcast_all", "broadcastAll"),
  pure_callback_vmap_legacy_vectorized: () => pureVmapped("legacy_vectorized", "legacyVectorized"),
  io_callback_results() {
    let n = 0;
    const count = (x: NDArray): number => {
      console.log("count", float(x));
      return ++n;
    };
    const f = jit((x: NDArray) =>
      ioCallback(count, f32, x, { ordered: true }).add(ioCallback(count, f32, x.add(1), { ordered: true })),
    );
    console.log(float(f(s(1))));
    console.log(float(f(s(5))));
  },
  io_callback_vmap() {
    let n = 0;
    const count = (x: NDArray): NDArray => x.add(10 * ++n);
    console.log(list(vmap((x: NDArray) => ioCallback(count, f32, x))(arange(0, 3))));
  },
  io_callback_same_call_twice() {
    let n = 0;
    const count = (): number => ++n;
    const call = (): NDArray => ioCallback(count, f32, { ordered: true });
    const both = jit(() => [call(), call()] as const)();
    console.log(`[${both.map(float).join(", ")}]`);
  },
  io_callback_in_loops() {
    const body = (c: NDArray, x: NDArray): readonly [NDArray, null] => {
      ioCallback((c: NDArray, x: NDArray) => console.log("io", float(c), float(x)), null, c, x, { ordered: true });
      return [c.add(x), null];
    };
    lax.scan(body, s(0), arange(0, 3));
    lax.foriLoop(
      0,
      2,
      (i: NDArray, c: NDArray) => ioCallback((i: NDArray, c: NDArray) => c.item() * 2 + i.item(), f32, i, c),
      s(1),
    );
  },
  io_callback_unused_result() {
    const say = (x: NDArray): NDArray => {
      console.log("said", float(x));
      return x;
    };
    jit((x: NDArray) => {
      ioCallback(say, f32, x);
      return x;
    })(s(1));
  },
  pure_callback_unused_result() {
    const say = (x: NDArray): NDArray => {
      console.log("said", float(x));
      return x;
    };
    jit((x: NDArray) => {
      pureCallback(say, f32, x);
      return x;
    })(s(1));
  },
  callback_of_trees() {
    const show = (tree: { readonly a: NDArray; readonly b: readonly [NDArray] }, scale: NDArray): void => {
      const b = (tree.b[0].js() as number[]).map((v) => v.toFixed(1)).join(", ");
      console.log(`['${Object.keys(tree).join("', '")}'] ${float(tree.a)} [${b}] ${float(scale)}`);
    };
    jit((x: NDArray) => debug.callback(show, { a: x, b: [np.ones([2]).mul(x)] }, 2))(s(3));
  },
  callback_static_arguments() {
    const show = (text: string, x: NDArray): void =>
      console.log(text, typeof text === "string" ? "str" : "?", float(x));
    jit((x: NDArray) => debug.callback(show, "label", x))(s(3));
  },
  two_call_form() {
    jit((x: NDArray) => debug.print({ ordered: true })("x = {x}", { x }))(s(1));
    jit((x: NDArray) => debug.callback({ ordered: true })((y: NDArray) => console.log("got", float(y)), x))(s(2));
  },
  grad_of_integers_through_io() {
    const next = (n: NDArray): number => n.item() + 1;
    const f = (x: NDArray, n: NDArray): NDArray => x.mul(ioCallback(next, { shape: [], dtype: "int32" }, n));
    console.log(float(grad(f)(s(2), i32(3))));
    console.log(float(jit(grad(f))(s(2), i32(3))));
  },
};
