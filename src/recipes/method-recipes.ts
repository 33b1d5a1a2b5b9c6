import type { ResNetConfig } from "../nn/resnet-layout";
import type { MethodKind, MethodRecipe, Recipe } from "../train/recipe";
import type { Preset } from "./presets";

/** All kinds of methods, in the order of the paper. */
export const methodKinds = ["moco", "end-to-end", "memory-bank", "simclr", "supervised", "random"] as const;

/** The recipe of a cell of the queue and momentum ablations. */
export function ablationRecipe(preset: Preset, queueSize: number, momentum: number): Recipe {
  return mocoRecipe({ ...preset, base: preset.ablations.base }, queueSize, momentum);
}

/** The preset's MoCo with another queue or momentum. */
export function mocoRecipe(preset: Preset, queueSize: number, momentum: number): Recipe {
  return methodRecipe(preset, { ...moco(preset), queueSize, momentum });
}

/** A preset's recipe with another method. */
export function methodRecipe(preset: Preset, method: MethodRecipe): Recipe {
  const { name, base, classes } = preset;
  return {
    ...base,
    name: `${name}-${methodName(method)}`,
    // A classifier has a logit for each class where the others have their embedding.
    encoder: method.kind === "supervised" ? { ...base.encoder, head: "linear", dimension: classes } : base.encoder,
    method,
  };
}

/** The same for a backbone with the ImageNet stem, which is for larger images: it sees the drawings at their own 64 px. */
export function withStem(recipe: Recipe, { stem }: Pick<ResNetConfig, "stem">): Recipe {
  if (stem === "cifar") return recipe;
  return {
    ...recipe,
    name: `${recipe.name}-${stem}-stem`,
    source: `${recipe.source}; stem and 64 px: for detection at larger images`,
    imageSize: 64,
    encoder: { ...recipe.encoder, stem },
  };
}

/** What a preset trains when only the kind of method is said. */
export function defaultMethod(preset: Preset, kind: MethodKind): MethodRecipe {
  const { temperature } = preset;
  switch (kind) {
    case "moco":
      return moco(preset);
    case "end-to-end":
      return { kind, temperature, shuffleBN: true };
    case "memory-bank":
      // As many negatives as MoCo's queue; momentum of the representations: Wu et al., 2018.
      return { kind, negatives: preset.momentumAblationQueueSize, momentum: 0.5, temperature };
    case "simclr":
      return { kind, temperature };
    case "supervised":
    case "random":
      return { kind };
  }
}

/** Short name of a method and of what distinguishes its cells. */
export function methodName(method: MethodRecipe): string {
  switch (method.kind) {
    case "moco":
      return `K${method.queueSize}-m${method.momentum}`;
    case "memory-bank":
      return `${method.kind}-K${method.negatives}`;
    default:
      return method.kind;
  }
}

function moco(preset: Preset) {
  const { momentumAblationQueueSize, queueAblationMomentum, temperature } = preset;
  return {
    kind: "moco",
    queueSize: momentumAblationQueueSize,
    momentum: queueAblationMomentum,
    temperature,
    shuffleBN: true,
    symmetric: false,
  } as const;
}
