import { z } from "zod";
import { tf } from "../engine/tf";
import { forward, createEncoder } from "../nn/encoder";
import { defineMethod, oneView } from "./method";
import { queryName } from "./network-names";

/** The baseline that learns nothing: the forward passes only give batch normalization its running averages. */
export const randomWeights = defineMethod({
  settings: z.object({ kind: z.literal("random") }).strict(),
  trained: [],
  start: (_settings, { encoder: config, bnGroups, random }) => {
    const encoder = createEncoder(config, random("initialization"));
    return {
      encoder,
      networks: { [queryName]: encoder },
      views: oneView,
      step: ({ views: [view] }) => {
        forward(encoder, view!, { bnGroups }).dispose();
        return { loss: tf.scalar(0), accuracy: tf.scalar(0), gradients: [] };
      },
    };
  },
});
