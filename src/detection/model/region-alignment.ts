import type { InputSpec, NamedTensors } from "../../engine/tensor-function";
import { tf } from "../../engine/tf";
import { selectBoxes, type Boxes, type Size } from "../structures/boxes";
import { alignRegions, weightTensors, type RegionsOnMap } from "./roi-align";

/** On which maps regions are aligned, and how finely: what is the same for all batches of one shape. */
export interface AlignmentLayout {
  /** Begins the names of the inputs: letters only. */
  readonly name: string;
  readonly maps: readonly {
    readonly size: Size;
    /** Pixels of the image between neighbors of the map. */
    readonly stride: number;
  }[];
  /** How many images a batch has. */
  readonly images: number;
  /** Side of RoIAlign's output. */
  readonly resolution: number;
  /** The most regions of an image. */
  readonly mostRegions: number;
}

/** Inputs of a recorded function that say which regions are aligned: any number of them. */
export function alignmentSpecs({ name, maps, images, resolution }: AlignmentLayout): Record<string, InputSpec> {
  const specs: Record<string, InputSpec> = { [`${name}Order`]: { shape: [`${name} regions`], dtype: "int32" } };
  maps.forEach(({ size }, map) => {
    for (let image = 0; image < images; image++) {
      const names = namesOf(name, map, image);
      const count = `${name} regions of image ${image} on map ${map}`;
      specs[names.rows] = { shape: [count, resolution, size.height] };
      specs[names.columns] = { shape: [count, resolution, size.width] };
      specs[names.places] = { shape: [count], dtype: "int32" };
    }
  });
  return specs;
}

/**
 * The inputs for some regions; the caller disposes them.
 *
 * @param rois - of each image its boxes, in its pixels
 * @param mapOf - which map each of some boxes is aligned on
 */
export function alignmentInputs(
  { name, maps, resolution }: AlignmentLayout,
  rois: readonly Boxes[],
  mapOf: (boxes: Boxes) => Int32Array,
): NamedTensors {
  const chosen = rois.map(mapOf);
  const inputs: Record<string, tf.Tensor> = {};
  const order = new Int32Array(chosen.reduce((sum, { length }) => sum + length, 0));
  let row = 0;
  maps.forEach(({ size, stride }, map) => {
    let first = 0;
    rois.forEach((boxes, image) => {
      const positions = chosen[image]!.map((_, at) => at).filter((at) => chosen[image]![at] === map);
      const options = { resolution, scale: 1 / stride, samplingRatio: 0 };
      const { rows, columns } = weightTensors(selectBoxes(boxes, positions), size, options);
      for (const at of positions) order[first + at] = row++;
      const names = namesOf(name, map, image);
      inputs[names.rows] = rows;
      inputs[names.columns] = columns;
      const offset = first;
      inputs[names.places] = tf.tensor1d(
        positions.map((at) => offset + at),
        "int32",
      );
      first += chosen[image]!.length;
    });
  });
  return { ...inputs, [`${name}Order`]: tf.tensor1d(order, "int32") };
}

/**
 * RoIAlign of the regions that the inputs say.
 *
 * @param features - the layout's maps, [N, H, W, C] each
 * @returns image after image, [R, resolution, resolution, C]
 */
export function alignByInputs(
  { name, maps, images, mostRegions }: AlignmentLayout,
  features: readonly tf.Tensor4D[],
  inputs: NamedTensors,
): tf.Tensor4D {
  const regions = maps.map((_, map) =>
    Array.from({ length: images }, (_, image): RegionsOnMap => {
      const names = namesOf(name, map, image);
      return {
        rows: inputs[names.rows] as tf.Tensor3D,
        columns: inputs[names.columns] as tf.Tensor3D,
        places: inputs[names.places] as tf.Tensor1D,
      };
    }),
  );
  return alignRegions(features, regions, inputs[`${name}Order`] as tf.Tensor1D, mostRegions);
}

function namesOf(name: string, map: number, image: number) {
  const of = (what: string) => `${name}${what}${map}_${image}`;
  return { rows: of("Rows"), columns: of("Columns"), places: of("Places") };
}
