export { tf } from "./engine/tf";
export { randomStream, type Random } from "./engine/random";
