import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { usage } from "../../../src/backends/webgpu/constants.js";
import type { WebgpuDevice } from "../../../src/backends/webgpu/device.js";
import { Pool, sizeClass } from "../../../src/backends/webgpu/pool.js";
import { layOutBanks, type Tenant } from "../../../src/backends/webgpu/banks.js";
import { available, toyDevice, upload } from "./toy.js";

describe("size classes", () => {
  test("hold what is asked for, waste at most a quarter (an eighth of what is large), and are few", () => {
    const limit = 2 ** 30;
    const classes = new Set<number>();
    for (let bytes = 1; bytes < limit; bytes = Math.ceil(bytes * 1.013)) {
      const size = sizeClass(bytes, limit);
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(size % 16).toBe(0);
      if (bytes >= 1024) expect(size / bytes).toBeLessThanOrEqual(bytes >= 2 ** 20 ? 1.126 : 1.26);
      expect(sizeClass(size, limit)).toBe(size);
      classes.add(size);
    }
    expect(classes.size).toBeLessThan(150);
  });

  test("never more than the device can have", () => {
    expect(sizeClass(1000, 1008)).toBe(1008);
    expect(sizeClass(0, 1008)).toBe(256);
  });
});

describe.skipIf(!available)("a pool", () => {
  let device: WebgpuDevice;
  beforeAll(async () => {
    device = await toyDevice();
  });
  afterAll(() => device.dispose());

  test("gives back what was given, by size class, the latest first", () => {
    const pool = new Pool(device.commands, usage.storage, { label: "test", keepBytes: 1e6 });
    const [a, b] = [pool.take(1000), pool.take(1010)];
    expect(pool.usedBytes).toBe(2048);
    pool.give(a);
    pool.give(b);
    expect(pool.idleBytes).toBe(2048);
    expect(pool.take(900)).toBe(b);
    expect(pool.take(2000)).not.toBe(a);
    expect(pool.take(1024)).toBe(a);
  });

  test("keeps what it may idle, or as much as is used; the longest idle go first", () => {
    const gone: number[] = [];
    const pool = new Pool(device.commands, usage.storage, {
      label: "test",
      keepBytes: 2048,
      onDestroy: (b) => gone.push(b.id),
    });
    const blocks = [256, 512, 1024, 2048].map((n) => pool.take(n));
    pool.give(blocks[1]!);
    pool.give(blocks[0]!);
    pool.give(blocks[2]!);
    expect(gone).toEqual([]);
    pool.give(blocks[3]!);
    expect(gone).toEqual([1, 0, 2].map((k) => blocks[k]!.id));
    expect(pool.idleBytes).toBe(2048);
    pool.trim(0);
    expect(pool.idleBytes).toBe(0);
  });

  test("arrays: freed blocks serve again, and the counts say so", async () => {
    const { allocatedBytes } = device.stats();
    const x = upload(device, new Array<number>(256).fill(1));
    const { buffers } = device.stats().counters;
    device.free(x);
    const y = upload(device, new Array<number>(250).fill(2));
    expect(device.stats().counters.buffers).toBe(buffers);
    expect(device.stats().allocatedBytes).toBe(allocatedBytes + 1000);
    device.free(y);
    expect(device.stats().allocatedBytes).toBe(allocatedBytes);
    expect(() => device.free(y)).toThrow(/was freed/);
  });
});

describe("banks", () => {
  const limit = { name: "maxBufferSize", bytes: 1 << 20 };
  const tenant = (bytes: number, first: number, last: number): Tenant => ({ name: "k", bytes, first, last });

  test("what lives at different times shares bytes", () => {
    const { places, bytes } = layOutBanks([tenant(1000, 0, 1), tenant(1000, 2, 3)], [], limit);
    expect(places).toEqual([
      { bank: 0, offset: 0 },
      { bank: 0, offset: 0 },
    ]);
    expect(bytes).toEqual([1024]);
  });

  test("what one dispatch reads and what it writes lie in different banks; what it writes may lie side by side", () => {
    const tenants = [tenant(100, 0, 1), tenant(100, 1, 2), tenant(100, 1, 2)];
    const { places } = layOutBanks(tenants, [{ reads: [0], writes: [1, 2] }], limit);
    expect(places[0]!.bank).not.toBe(places[1]!.bank);
    expect(places[1]!.bank).toBe(places[2]!.bank);
    expect(places[2]!.offset).toBe(256);
  });

  test("random tenants: no two that live at one time overlap, no adversaries share a bank, a chain needs two", () => {
    let seed = 1;
    const random = (n: number): number => (seed = (seed * 48271) % 2147483647) % n;
    for (let round = 0; round < 50; round++) {
      const tenants = Array.from({ length: 40 }, () => {
        const first = random(60);
        return tenant(4 * random(2000), first, first + random(12));
      });
      const conflicts = Array.from({ length: 60 }, (_, at) => {
        const alive = tenants.flatMap((t, k) => (t.first <= at && at <= t.last ? [k] : []));
        return { reads: alive.filter((k) => k % 2 === 0), writes: alive.filter((k) => k % 2 === 1) };
      });
      const { places, bytes } = layOutBanks(tenants, conflicts, limit);
      tenants.forEach((t, i) => {
        expect(places[i]!.offset % 256).toBe(0);
        expect(places[i]!.offset + t.bytes).toBeLessThanOrEqual(bytes[places[i]!.bank]!);
        tenants.slice(0, i).forEach((u, j) => {
          if (t.first > u.last || u.first > t.last) return;
          const [p, q] = [places[i]!, places[j]!];
          const apart = p.bank !== q.bank || p.offset >= q.offset + u.bytes || q.offset >= p.offset + t.bytes;
          expect(apart).toBe(true);
          if (i % 2 !== j % 2) expect(p.bank).not.toBe(q.bank);
        });
      });
    }
    const chain = Array.from({ length: 30 }, (_, i) => tenant(100, i, i + 1));
    const links = chain.slice(1).map((_, i) => ({ reads: [i], writes: [i + 1] }));
    expect(layOutBanks(chain, links, limit).bytes).toEqual([256, 256]);
  });

  test("more than a buffer can hold opens another bank; one that is larger itself is an error that names the limit", () => {
    const many = Array.from({ length: 5 }, () => tenant(300_000, 0, 1));
    expect(layOutBanks(many, [], limit).bytes.length).toBe(2);
    expect(() => layOutBanks([tenant(2 ** 21, 0, 1)], [], limit)).toThrow(/maxBufferSize {2}1048576 bytes/);
  });
});
