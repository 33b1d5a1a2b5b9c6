/** The one place that loads the engine: `import { tf } from "./tf"`. */
import "./environment";

export * as tf from "@tensorflow/tfjs-node-gpu";
