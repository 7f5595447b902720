/** How often properties are tried: always the same cases, unless `RUNS` and `SEED` in the environment ask for others. */
export const runs = {
  seed: Number(process.env["SEED"] ?? 20240601),
  numRuns: Number(process.env["RUNS"] ?? 20),
} as const;

/** Time for one property, in milliseconds. */
export const timeout = 120_000 + 1000 * runs.numRuns;
