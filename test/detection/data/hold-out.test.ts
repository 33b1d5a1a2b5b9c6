import { describe, expect, it } from "vitest";
import type { DetectionSet } from "../../../src/detection/structures/detection-set";
import { holdOut } from "../../../src/detection/data/hold-out";
import { tinySet } from "../tiny-detection";

const [image] = tinySet(1).images;
const set = {
  ...tinySet(1),
  images: Array.from({ length: 1000 }, (_, index) => ({ ...image!, id: index, fileName: `${index}.png` })),
};
const names = ({ images }: DetectionSet) => images.map(({ fileName }) => fileName);

describe("holdOut", () => {
  it("takes about the share of the images, and each is in one part", () => {
    const { kept, heldOut } = holdOut(set, 0.15);
    expect(heldOut.images.length).toBeGreaterThan(120);
    expect(heldOut.images.length).toBeLessThan(180);
    expect([...kept.images, ...heldOut.images].sort((one, other) => Number(one.id) - Number(other.id))).toEqual(
      set.images,
    );
    expect([kept.name, heldOut.name]).toEqual(["tiny but 0.15 held out", "tiny, 0.15 held out"]);
  });

  it("depends on the names of files alone: not on their order, the other images, or what is held out beside", () => {
    const first = names(holdOut(set, 0.15).heldOut);
    const turned = { ...set, images: [...set.images].reverse() };
    expect(names(holdOut(turned, 0.15).heldOut).reverse()).toEqual(first);
    const half = { ...set, images: set.images.slice(0, 500) };
    expect(names(holdOut(half, 0.15).heldOut)).toEqual(first.filter((name) => Number.parseInt(name) < 500));
    expect(names(holdOut(set, 0.3).heldOut)).toEqual(expect.arrayContaining(first));
  });

  it("goes by the SHA-256 of a name", () => {
    // `printf 0.png | sha256sum` begins with 0f, those of 1.png to 7.png with 94, 33, c6, a6, ed, 08, 2f; 0.15 is 26 of ff.
    const few = { ...set, images: set.images.slice(0, 8) };
    expect(names(holdOut(few, 0.15).heldOut)).toEqual(["0.png", "6.png"]);
  });

  it("refuses to leave a part without images", () => {
    const one = { ...set, images: set.images.slice(0, 1) };
    expect(() => holdOut(one, 0.001)).toThrow("current value 0.001 holds out 0 of 1");
    expect(() => holdOut(one, 0.999)).toThrow("current value 0.999 holds out 1 of 1");
  });
});
