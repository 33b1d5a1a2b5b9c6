import type { tf } from "../engine/tf";
import type { ParameterVector } from "../nn/parameters";
import { Lars } from "./lars";
import type { Recipe } from "./recipe";
import { Sgd } from "./sgd";

type OptimiserKind = Recipe["optimiser"]["kind"];

/** What moves the parameters of one network. Owns its velocity: call `dispose`. */
export type Optimiser = Sgd | Lars;

/** An optimiser before its first step. */
export function createOptimiser(kind: OptimiserKind, parameters: ParameterVector): Optimiser {
  return kind === "lars" ? Lars.create(parameters) : Sgd.create(parameters);
}

/** @param velocity - as a checkpoint holds it, [size]; taken over */
export function restoreOptimiser(kind: OptimiserKind, velocity: tf.Tensor1D): Optimiser {
  return kind === "lars" ? new Lars(velocity) : new Sgd(velocity);
}
