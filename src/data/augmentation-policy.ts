/** How the views of an image are made at random. Probabilities are those of applying a step to an image. */
export interface AugmentationPolicy {
  /** Where the numbers come from. */
  readonly source: string;
  /** Random resized crop: bounds of the crop's share of the area, and of its width / height (uniform in the logarithm). */
  readonly crop: { readonly scale: readonly [number, number]; readonly ratio: readonly [number, number] };
  readonly flip: { readonly probability: number };
  /** Strengths: factors are drawn from 1 - strength to 1 + strength, the hue's shift from -hue to hue, in turns. */
  readonly jitter: {
    readonly probability: number;
    readonly brightness: number;
    readonly contrast: number;
    readonly saturation: number;
    readonly hue: number;
  };
  readonly grayscale: { readonly probability: number; readonly at: "before jitter" | "after jitter" };
  /** Gaussian blur: bounds of its standard deviation, in pixels of the view. */
  readonly blur: { readonly probability: number; readonly sigma: readonly [number, number] } | undefined;
}

const ratio = [3 / 4, 4 / 3] as const;

/** MoCo v1 (section 3.3, "data augmentation"), that of instance discrimination: gray comes before the jitter. */
export const mocoV1: AugmentationPolicy = {
  source: "facebookresearch/moco@87e36d3, main_moco.py, without --aug-plus; ratio: torchvision's default",
  crop: { scale: [0.2, 1], ratio },
  flip: { probability: 0.5 },
  jitter: { probability: 1, brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.4 },
  grayscale: { probability: 0.2, at: "before jitter" },
  blur: undefined,
};

/** MoCo v2 ("aug+"): blur is added, the jitter is applied to four images in five and with less hue, gray comes after it. */
export const mocoV2: AugmentationPolicy = {
  source: "facebookresearch/moco@87e36d3, main_moco.py --aug-plus; ratio: torchvision's default",
  crop: { scale: [0.2, 1], ratio },
  flip: { probability: 0.5 },
  jitter: { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
  grayscale: { probability: 0.2, at: "after jitter" },
  blur: { probability: 0.5, sigma: [0.1, 2] },
};

/** The authors' demo on CIFAR-10: that of v2 with torchvision's default crop and without blur. */
export const cifar10Demo: AugmentationPolicy = {
  source: "facebookresearch/moco, colab/moco_cifar10_demo.ipynb; crop: torchvision's default",
  crop: { scale: [0.08, 1], ratio },
  flip: { probability: 0.5 },
  jitter: { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
  grayscale: { probability: 0.2, at: "after jitter" },
  blur: undefined,
};

/**
 * SimCLR's own, at the strength of its ImageNet runs (s = 1). Its CIFAR strength (s = 0.5, no blur) is that of the demo above.
 *
 * Two things of the official code are left out: it resizes bicubically, and it does not normalize.
 */
export const simclrStrong: AugmentationPolicy = {
  source: "google-research/simclr, data_util.py, color_jitter_strength 1; blur: its section 3 and appendix A",
  crop: { scale: [0.08, 1], ratio },
  flip: { probability: 0.5 },
  jitter: { probability: 0.8, brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 },
  grayscale: { probability: 0.2, at: "after jitter" },
  blur: { probability: 0.5, sigma: [0.1, 2] },
};

/** What a supervised classifier is trained on, the linear one on frozen features too: crops and flips alone. */
export const cropAndFlip: AugmentationPolicy = {
  source: "facebookresearch/moco@87e36d3, main_lincls.py; scale and ratio: torchvision's defaults",
  crop: { scale: [0.08, 1], ratio },
  flip: { probability: 0.5 },
  jitter: { probability: 0, brightness: 0, contrast: 0, saturation: 0, hue: 0 },
  grayscale: { probability: 0, at: "after jitter" },
  blur: undefined,
};

/** The policies by the names that recipes use. */
export const augmentationPolicies = {
  "moco-v1": mocoV1,
  "moco-v2": mocoV2,
  "cifar10-demo": cifar10Demo,
  simclr: simclrStrong,
} as const satisfies Record<string, AugmentationPolicy>;

type AugmentationName = keyof typeof augmentationPolicies;
