/** A number of the paper, as printed, with its place. */
export interface Published {
  /** ImageNet linear top-1 in percent, or "fail" where the paper's training did. */
  readonly value: number | "fail";
  readonly source: string;
}

/** Figure 3: ImageNet linear top-1 of ResNet-50 after 200 epochs by K, for each mechanism; m = 0.999, batch 256. */
export const figure3: Readonly<Record<"end-to-end" | "memory-bank" | "moco", ReadonlyMap<number, number>>> = {
  "end-to-end": new Map([
    [256, 54.9],
    [512, 56.3],
    [1024, 57.3],
  ]),
  "memory-bank": new Map([
    [256, 50.0],
    [512, 52.0],
    [1024, 54.1],
    [4096, 56.5],
    [16384, 57.8],
    [65536, 58.0],
  ]),
  moco: new Map([
    [256, 54.7],
    [512, 56.4],
    [1024, 57.5],
    [4096, 59.0],
    [16384, 60.4],
    [65536, 60.6],
  ]),
};

/** Section 4.1, "Ablation: momentum": ImageNet linear top-1 of ResNet-50 after 200 epochs, K = 4096. */
export const publishedMomenta: ReadonlyMap<number, number | "fail"> = new Map<number, number | "fail">([
  [0, "fail"],
  [0.9, 55.2],
  [0.99, 57.8],
  [0.999, 59.0],
  [0.9999, 58.9],
]);

/** MoCo v2 (arXiv 2003.04297), Table 1, rows (d) and (e): ImageNet linear top-1 of ResNet-50 by epochs. */
export const publishedLengths: ReadonlyMap<number, number> = new Map([
  [200, 67.5],
  [800, 71.1],
]);
