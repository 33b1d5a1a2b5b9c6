import { readFileSync } from "node:fs";
import { InputError } from "../engine/errors";
import { presetNamed, type Preset } from "../tables/presets";
import type { Recipe } from "../train/recipe";

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
 * The recipe of a preset, before anything is set. Its K and m are those that the preset's ablations keep fixed, so the
 * recipe is that of one of their cells.
 */
export function presetRecipe({ name, base, momentumAblationQueueSize, queueAblationMomentum }: Preset): Recipe {
  const [queueSize, momentum] = [momentumAblationQueueSize, queueAblationMomentum];
  return { name: cellName(name, queueSize, momentum), ...base, queueSize, momentum };
}

/**
 * What is to be trained, not validated yet: a preset's recipe or that of a JSON file, with settings on top. A preset's
 * recipe with another K or m is named as the cells of its ablations are; `source` says what was set.
 *
 * @param file - of JSON; undefined for the preset's own recipe
 * @throws InputError if the file cannot be read
 */
export function recipeFrom(presetName: string, file: string | undefined, settings: readonly Setting[]): unknown {
  const original = file === undefined ? presetRecipe(presetNamed(presetName)) : readJson(file);
  const changed = settings.reduce<unknown>(
    (recipe, [field, text]) => withField(recipe, field.split("."), valueOf(text)),
    original,
  );
  if (settings.length === 0 || !isObject(changed)) return changed;
  const set = (field: string) => settings.some(([one]) => one === field);
  const { name, source, queueSize, momentum } = changed as Record<string, string>;
  const settingsText = settings.map((setting) => setting.join(" = ")).join(", ");
  return {
    ...changed,
    name: file === undefined && !set("name") ? cellName(presetName, queueSize, momentum) : name,
    source: set("source") ? source : `${source}; set on the command line: ${settingsText}`,
  };
}

function cellName(preset: string, queueSize: unknown, momentum: unknown): string {
  return `${preset}-K${String(queueSize)}-m${String(momentum)}`;
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

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new InputError(`Cannot read the recipe ${file}: ${(error as Error).message}`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
