/**
 * Errors as data: every error a user can cause is a class with a stable code, the operands with their types, and a way out.
 * "internal:" is reserved for our own bugs.
 */

/** One line of an error's table: a name and what came. */
export type ErrorDetail = readonly [name: string, what: string];

export interface ErrorOptionsOf {
  readonly code: string;
  /** What was expected, in one line. */
  readonly message: string;
  /** Operands, shapes, paths: rendered as an aligned table under the message. */
  readonly details?: readonly ErrorDetail[] | undefined;
  /** The way out. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** `1 axis`, `2 axes`: a number of things in an error's text. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

function render(o: ErrorOptionsOf): string {
  const width = Math.max(0, ...(o.details ?? []).map(([name]) => name.length));
  const table = (o.details ?? []).map(([name, what]) => `\n  ${name.padEnd(width)}  ${what}`).join("");
  return `${o.message} [${o.code}]${table}${o.hint === undefined ? "" : `\nhint: ${o.hint}`}`;
}

/** Base class of everything tsax throws on purpose. */
export class TsaxError extends Error {
  // Spelled out in each class: a class's own name does not survive minifiers.
  override readonly name: string = "TsaxError";
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  readonly hint: string | undefined;

  constructor(o: ErrorOptionsOf) {
    super(render(o), o.cause === undefined ? undefined : { cause: o.cause });
    this.code = o.code;
    this.details = o.details ?? [];
    this.hint = o.hint;
  }
}

/** Operands whose shapes do not fit each other or the operation (JAX: TypeError, ValueError). */
export class ShapeError extends TsaxError {
  override readonly name = "ShapeError";
}
/** Operands whose dtypes do not fit (JAX: TypePromotionError, TypeError). */
export class DTypeError extends TsaxError {
  override readonly name = "DTypeError";
}
/** An argument whose value is not acceptable: axis out of range, unknown option, bad number. */
export class ArgumentError extends TsaxError {
  override readonly name = "ArgumentError";
}
/** Pytrees whose structures differ, or a leaf that is no array. */
export class TreeError extends TsaxError {
  override readonly name = "TreeError";
}
/** A traced value was read, or escaped from its trace (JAX: ConcretizationTypeError, UnexpectedTracerError). */
export class TracerError extends TsaxError {
  override readonly name = "TracerError";
}
/** A derivative, batching or lowering that does not exist or was asked for wrongly. */
export class TransformError extends TsaxError {
  override readonly name = "TransformError";
}
/** An array that was disposed or donated was used again. */
export class DisposedError extends TsaxError {
  override readonly name = "DisposedError";
}
/** A device that is unknown, unprepared, mixed with another, or out of memory. */
export class DeviceError extends TsaxError {
  override readonly name = "DeviceError";
}
/** A check failed, or stands where it cannot be (JAX: JaxRuntimeError). */
export class CheckError extends TsaxError {
  override readonly name = "CheckError";
}
/** An operation made a NaN or an infinity while that is looked for (JAX: FloatingPointError). */
export class FloatingPointError extends TsaxError {
  override readonly name = "FloatingPointError";
}

/** A function that was called back threw, or gave what it should not (JAX: JaxRuntimeError). */
export class CallbackError extends TsaxError {
  override readonly name = "CallbackError";
}

/** Our own bug: a state that no input should be able to reach. */
export class InternalError extends TsaxError {
  override readonly name = "InternalError";

  constructor(message: string, details?: readonly ErrorDetail[]) {
    super({
      code: "internal",
      message: `internal: ${message}`,
      details,
      hint: "this is a bug in tsax; please report it",
    });
  }
}

/** Throws an InternalError unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}
