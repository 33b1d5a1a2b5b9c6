import { readFileSync } from "node:fs";
import { decodeText } from "../data/decode-text";
import { InputError } from "../errors";
import { cifar10DemoRecipe } from "../recipes/cifar10-demo";
import { paperRecipes } from "../recipes/paper-recipes";
import { defaultMethod, methodName, methodRecipe } from "../recipes/method-recipes";
import { presetNamed, type Preset } from "../recipes/presets";
import type { MethodKind, MethodRecipe, Recipe } from "../train/recipe";

/** One value of a recipe set on the command line: "encoder.width" and "8". */
export type Setting = readonly [field: string, text: string];

/**
 * Reads "encoder.width=8".
 *
 * @throws InputError if it has no field or no value
 */
export function parseSetting(text: string): Setting {
  const [, field, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (field === undefined || value === undefined) {
    throw new InputError(`Cannot set a value of the recipe: write --set field=value, current value is "${text}"`);
  }
  return [field, value];
}

/**
 * The recipe of a preset, before anything is set: that of the method's row in the linear evaluation. The ablations of K and m
 * have more steps, see `Preset.ablations`.
 */
export function presetRecipe(preset: Preset, kind: MethodKind = "moco"): Recipe {
  return methodRecipe(preset, defaultMethod(preset, kind));
}

/** The preset that only `moco pretrain` has: it belongs to no table, but to the comparison of two engines. */
export const demoPreset = "cifar10-demo";

/** The recipes of the paper, by the names that `moco estimate` has for them. */
export const paperPresets: readonly string[] = paperRecipes.map(({ name }) => name);

/** What `moco pretrain` starts from. */
export interface RecipeOrigin {
  readonly preset: string;
  /** JSON file with a whole recipe, instead of the preset's. */
  readonly file?: string | undefined;
  /** Method of the preset's recipe. @default "moco" */
  readonly method?: MethodKind | undefined;
}

/**
 * What is to be trained, not validated yet: a preset's recipe or that of a JSON file, with settings on top. A preset's
 * recipe with another K or m is named as the cells of its ablations are; `source` says what was set.
 *
 * @throws InputError if the file cannot be read
 */
export function recipeFrom({ preset, file, method }: RecipeOrigin, settings: readonly Setting[]): unknown {
  if (file !== undefined && method !== undefined) {
    throw new InputError("Cannot take the method from two places: leave out --method, or --recipe");
  }
  const whole = [cifar10DemoRecipe, ...paperRecipes].find(({ name }) => name === preset);
  if (whole !== undefined && method !== undefined && method !== whole.method.kind) {
    throw new InputError(
      `Cannot train ${method} by the preset ${preset}: it is of ${whole.method.kind}; leave out --method`,
    );
  }
  const ofPreset = () => whole ?? presetRecipe(presetNamed(preset), method);
  const original = file === undefined ? ofPreset() : readRecipeFile(file);
  const changed = withSettings(original, settings);
  if (settings.length === 0 || !isObject(changed)) return changed;
  const set = (field: string) => settings.some(([one]) => one === field);
  const { name, source } = changed as Record<string, string>;
  return {
    ...changed,
    name:
      file === undefined && whole === undefined && !set("name") && isObject(changed["method"])
        ? `${preset}-${methodName(changed["method"] as unknown as MethodRecipe)}`
        : name,
    source: set("source") ? source : withSettingsSaid(source!, settings),
  };
}

/** A recipe with values set on top, not validated yet; of two for a field the last counts. */
export function withSettings(recipe: unknown, settings: readonly Setting[]): unknown {
  return settings.reduce<unknown>(
    (changed, [field, text]) => withField(changed, field.split("."), valueOf(text)),
    recipe,
  );
}

/** The source of a recipe, with what was set on top. */
export function withSettingsSaid(source: string, settings: readonly Setting[]): string {
  return `${source}; set on the command line: ${settings.map((setting) => setting.join(" = ")).join(", ")}`;
}

function withField(value: unknown, [field, ...inner]: readonly string[], set: unknown): unknown {
  if (field === undefined) return set;
  const object = isObject(value) ? value : {};
  return { ...object, [field]: withField(object[field], inner, set) };
}

/** JSON where it is JSON, else text: 0.99 is a number, moco-v2 a string. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function readRecipeFile(file: string): unknown {
  try {
    return JSON.parse(decodeText(readFileSync(file)));
  } catch (error) {
    throw new InputError(`Cannot read the recipe ${file}: ${(error as Error).message}`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
