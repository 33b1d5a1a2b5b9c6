import type { ParameterVector } from "../nn/parameters";
import { Lars } from "./lars";
import type { Recipe } from "./recipe";
import { Sgd } from "./sgd";

type OptimizerKind = Recipe["optimizer"]["kind"];

/** What moves the parameters of one network. Owns its velocity: call `dispose`. */
export type Optimizer = Sgd | Lars;

/** An optimizer before its first step. */
export function createOptimizer(kind: OptimizerKind, parameters: ParameterVector): Optimizer {
  return kind === "lars" ? Lars.create(parameters) : Sgd.create(parameters);
}
