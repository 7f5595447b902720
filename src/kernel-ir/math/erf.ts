import type { Expr } from "../scalar.js";
import {
  abs,
  add,
  capAbove,
  div,
  type FloatType,
  fma,
  formatOf,
  k,
  lt,
  mul,
  neg,
  poly,
  select,
  sqrt,
  sub,
  upperPart,
  withSign,
} from "./build.js";
import { exp2Normal, expOfSum } from "./exp.js";
import { log1p } from "./log.js";

/** f32: (erf(x) − x)/x in x² on |x| ≤ 0.95, and log2 erfc(x) on [0.9, 4], beyond which erf rounds to ±1. */
const ERF32 = {
  small: [0.12837917, -0.3761263, 0.11283632, -0.026856327, 0.005194197, -0.0008071981, 8.0941594e-5],
  split: 0.92,
  large: [
    0.0004242759, -1.630434, -0.9117783, -0.15858696, 0.037993327, -0.0068240846, 0.0008521689, -6.542706e-5,
    2.3116381e-6,
  ],
  max: 4,
};
/** f64: erf(x)/x in x² on |x| ≤ 0.9. */
const ERF64 = {
  split: 0.9,
  p: [1.1283791670955126, 0.14214708464002132, 0.04530695523889551, 0.001827557736390751, 0.0001950534672886378],
  q: [
    1.0, 0.45930790711593245, 0.09325487934830076, 0.010583323754547087, 0.0006814212049869314, 2.0312560339906038e-5,
  ],
};

/** (1 + 2x)·e^(x²)·erfc(x), a number near 1.2, in t = (x − k)/(x + k), for 0 ≤ x ≤ max, beyond which erfc is 0. */
interface ErfcxTable {
  readonly max: number;
  readonly k: number;
  /** Bits cut off x for an exact square. */
  readonly cut: number;
  readonly p: readonly number[];
}
const ERFCX: Readonly<Record<FloatType, ErfcxTable>> = {
  f32: {
    max: 10.07,
    k: 2,
    cut: 12,
    p: [
      1.2769784, -0.09276399, -0.16603084, 0.1640556, -0.054208793, -0.008062224, 0.008644311, 0.0013217385,
      -0.0012417842, -0.00040986226,
    ],
  },
  f64: {
    max: 27.3,
    k: 3,
    cut: 27,
    p: [
      1.2530080582697296, -0.1356211061245806, -0.04756229435344507, 0.1296451587026949, -0.1192736634155183,
      0.06830802734614637, -0.02377051491500965, 0.0025293917831244687, 0.001888690322220655, -0.0007798319946312504,
      -0.00010515955326421042, 0.0001250979294727411, 4.948357457555252e-6, -2.009590946184825e-5,
      -7.279600481465619e-7, 3.4625103049424436e-6, 3.492532197383007e-7, -6.031188678772024e-7, -1.3094465394719433e-7,
      9.052195022778078e-8, 3.251569675371737e-8, -8.091721663460171e-9, -4.021954568564624e-9,
    ],
  },
};

/** erfc(a) for a ≥ 0. */
function erfcPositive(a: Expr): Expr {
  const t = ERFCX[formatOf(a).type];
  const x = capAbove(a, t.max);
  // e^(−x²) needs x² to more places than a number has: x = h + l with h² exact, x² = h² + (x − h)(x + h).
  const h = upperPart(x, t.cut);
  const e = expOfSum(neg(mul(h, h)), mul(sub(h, x), add(h, x)));
  const u = div(sub(x, k(x, t.k)), add(x, k(x, t.k)));
  return mul(e, div(poly(u, t.p), fma(x, k(x, 2), k(x, 1))));
}

/** erf(x) for |x| below the split. */
function erfNear(x: Expr): Expr {
  const z = mul(x, x);
  if (x.type === "f32") return fma(x, poly(z, ERF32.small), x);
  return div(mul(x, poly(z, ERF64.p)), poly(z, ERF64.q));
}

/** Error function: never beyond ±1. */
export function erf(x: Expr): Expr {
  const a = abs(x);
  const one = k(x, 1);
  const f32 = x.type === "f32";
  const far = sub(one, f32 ? exp2Normal(poly(capAbove(a, ERF32.max), ERF32.large)) : erfcPositive(a));
  return select(lt(a, k(x, f32 ? ERF32.split : ERF64.split)), erfNear(x), withSign(far, x));
}

/** Complementary error function, relative accuracy down to where it vanishes; exactly 1 at 0. */
export function erfc(x: Expr): Expr {
  const a = abs(x);
  const y = erfcPositive(a);
  const far = select(lt(x, k(x, 0)), sub(k(x, 2), y), y);
  return select(lt(a, k(x, 0.5)), sub(k(x, 1), erfNear(x)), far);
}

/** erfInv(x)/x in w = −log(1 − x²): Giles, Approximating the erfinv function, as XLA has it. */
const ERF_INV32 = {
  central: [
    1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-6, -3.5233877e-6,
    3.43273939e-7, 2.81022636e-8,
  ],
  tail: [
    2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844, 0.00134934322, 0.000100950558,
    -0.000200214257,
  ],
};

/** Inverse error function: ±inf at ±1, NaN beyond. */
export function erfInv(x: Expr): Expr {
  const w = neg(log1p(neg(mul(x, x))));
  const atEnd = sub(k(x, 1), abs(x));
  const p = x.type === "f32" ? erfInvRatio32(w) : erfInvRatio64(w);
  return select(lt(k(x, 0), atEnd), mul(p, x), mul(x, div(k(x, 1), sqrt(atEnd))));
}

function erfInvRatio32(w: Expr): Expr {
  const central = lt(w, k(w, 5));
  const t = select(central, sub(w, k(w, 2.5)), sub(sqrt(w), k(w, 3)));
  const coefficient = (i: number): Expr => select(central, k(w, ERF_INV32.central[i]!), k(w, ERF_INV32.tail[i]!));
  let p = coefficient(8);
  for (let i = 7; i >= 0; i--) p = fma(p, t, coefficient(i));
  return p;
}

/** Rational fits: central in w below 6.25, tail in √w − 3. */
const ERF_INV64 = {
  central: {
    p: [
      0.886226925452758, 0.3135029947793671, 0.08100297939071595, 0.014871753607084374, 0.0020248550543660675,
      0.0002097270012868768, 1.6019078629749305e-5, 8.282538450007257e-7, 2.3769856203081368e-8, 1.7590503948054668e-10,
    ],
    q: [
      1.0, 0.09195086033194094, 0.05429735852501331, 0.004002534763379118, 0.0009160987997569911, 4.841312777097114e-5,
      4.738089186864207e-6, 1.325037849765073e-7, 3.1748214351463194e-9,
    ],
  },
  tail: {
    p: [
      2.8329767987282706, 5.056724658720236, 5.648489790450898, 4.462627425853124, 2.766184207564309, 1.377010176102562,
      0.5608085394458252, 0.18531845505238045, 0.04854751289710143, 0.009466895852425402, 0.0012064684351511716,
      7.243436980741874e-5,
    ],
    q: [
      1.0, 1.431374017551841, 1.4844005447710213, 1.0483191502163551, 0.6026677866636441, 0.2718689661182035,
      0.10094537084912042, 0.02950628083725451, 0.006606019922297378, 0.0009908989998686957, 7.241006133470475e-5,
    ],
  },
};

function erfInvRatio64(w: Expr): Expr {
  const central = lt(w, k(w, 6.25));
  const t = select(central, w, sub(sqrt(w), k(w, 3)));
  const choose = (which: "p" | "q"): Expr => {
    const a = ERF_INV64.central[which];
    const b = ERF_INV64.tail[which];
    const coefficient = (i: number): Expr => select(central, k(w, a[i] ?? 0), k(w, b[i]!));
    let p = coefficient(b.length - 1);
    for (let i = b.length - 2; i >= 0; i--) p = fma(p, t, coefficient(i));
    return p;
  };
  return div(choose("p"), choose("q"));
}
