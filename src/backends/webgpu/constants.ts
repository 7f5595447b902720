/** WebGPU's flags by number: Node has no globals for them, and a page of another realm has others. */
export const usage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
  queryResolve: 0x200,
} as const;
export const mapForReading = 0x1;
export const computeStage = 0x4;

/** Offsets of bindings are multiples of this on every device: the largest value that the limit may have. */
export const bindingAlignment = 256;
/** Sizes of bindings: of whole vec4s, so that vectors may be read to the end. */
export const wholeVectors = (bytes: number): number => Math.max(16, Math.ceil(bytes / 16) * 16);
