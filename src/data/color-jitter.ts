import { tf } from "../engine/tf";
import { type ColorJitter, grayParts, jitterOperations } from "./augmentation-parameters";

// Images are [count, 3, pixels] here, a plane for each channel: operations on planes are several times faster on CPU
// than on colors that lie side by side (TensorFlow's own RGBToHSV and HSVToRGB took twice the time of all of shiftHue).

const contrast = jitterOperations.indexOf("contrast");
const saturation = jitterOperations.indexOf("saturation");
const hue = jitterOperations.indexOf("hue");

/** Turns the chosen images ([count, 3, pixels]) gray; they keep three channels. */
export function grayscale(images: tf.Tensor3D, chosen: Uint8Array): tf.Tensor3D {
  return tf.tidy(() => {
    const mixes = new Float32Array(9 * chosen.length);
    chosen.forEach((gray, image) => setMix(mixes, image, gray ? 0 : 1, gray ? 1 : 0));
    return mixChannels(images, mixes);
  });
}

/**
 * Changes brightness, contrast, saturation and hue, in an order of its own for each image, as torchvision's
 * `ColorJitter` does with float images: values are cut to 0..1 after each operation.
 *
 * @param images - [count, 3, pixels] in 0..1
 */
export function jitterColors(images: tf.Tensor3D, jitter: ColorJitter): tf.Tensor3D {
  return tf.tidy(() => {
    const groups = groupByHueSlot(jitter).filter(({ members }) => members.length > 0);
    const jittered = groups.map(({ members, hueSlot }) => {
      const group = tf.gather(images, tf.tensor1d(members, "int32"));
      return hueSlot === undefined ? group : jitterGroup(group, select(jitter, members), hueSlot);
    });
    const positions = new Int32Array(images.shape[0]);
    groups.flatMap(({ members }) => members).forEach((image, position) => (positions[image] = position));
    return tf.gather(tf.concat(jittered), tf.tensor1d(positions, "int32"));
  });
}

interface JitterGroup {
  /** Numbers of the group's images in the batch. */
  readonly members: number[];
  /** The place of the hue in their order of operations; undefined where nothing is to be done. */
  readonly hueSlot: number | undefined;
}

// The hue is much dearer than the other operations, so each group of images goes through it once, in its own slot.
function groupByHueSlot({ order, amounts }: ColorJitter): JitterGroup[] {
  const groups: JitterGroup[] = [0, 1, 2, 3, undefined].map((hueSlot) => ({ members: [], hueSlot }));
  for (let image = 0; image < order.length / 4; image++) {
    const ofImage = amounts.subarray(4 * image, 4 * image + 4);
    const changed = ofImage.some((amount, operation) => amount !== (operation === hue ? 0 : 1));
    const slot = order.subarray(4 * image, 4 * image + 4).indexOf(hue);
    groups[changed ? slot : 4]!.members.push(image);
  }
  return groups;
}

function select({ order, amounts }: ColorJitter, members: readonly number[]): ColorJitter {
  const selected = { order: new Uint8Array(4 * members.length), amounts: new Float32Array(4 * members.length) };
  members.forEach((image, position) => {
    selected.order.set(order.subarray(4 * image, 4 * image + 4), 4 * position);
    selected.amounts.set(amounts.subarray(4 * image, 4 * image + 4), 4 * position);
  });
  return selected;
}

function jitterGroup(images: tf.Tensor3D, jitter: ColorJitter, hueSlot: number): tf.Tensor3D {
  return jitterOperations.reduce(
    // A tidy for each operation keeps the tensors in flight few, and so in the processor's cache.
    (jittered, _, slot) =>
      tf.tidy(() => (slot === hueSlot ? shiftHue(jittered, jitter) : blend(jittered, jitter, slot))),
    images,
  );
}

/**
 * Brightness, contrast and saturation: `factor * image + (1 - factor) * reference`, where the reference is black, the
 * mean gray of the image, or its gray image. All three are a mix of the channels plus a share of the mean gray, so
 * that one pass serves images that are at different operations.
 */
function blend(images: tf.Tensor3D, { order, amounts }: ColorJitter, slot: number): tf.Tensor3D {
  const [count, , pixels] = images.shape;
  const mixes = new Float32Array(9 * count);
  const sumParts = new Float32Array(3 * count);
  for (let image = 0; image < count; image++) {
    const operation = order[4 * image + slot]!;
    const factor = amounts[4 * image + operation]!;
    setMix(mixes, image, factor, operation === saturation ? 1 - factor : 0);
    if (operation === contrast) {
      const ofMeanGray = grayParts.map((part) => ((1 - factor) * part) / pixels);
      sumParts.set(ofMeanGray, 3 * image);
    }
  }
  const sums = images.sum(2, true);
  const added: tf.Tensor3D = sums.mul(tf.tensor3d(sumParts, [count, 3, 1])).sum(1, true);
  return clip(mixChannels(images, mixes).add(added));
}

/** Cuts values to 0..1: faster than `clipByValue`, and than `relu`, on small tensors. */
function clip(images: tf.Tensor3D): tf.Tensor3D {
  return images.maximum<tf.Tensor3D>(0).minimum(1);
}

/** Writes the matrix that turns a color into `own * color + gray * (gray of the color)`. */
function setMix(mixes: Float32Array, image: number, own: number, gray: number): void {
  for (let to = 0; to < 3; to++) {
    for (let from = 0; from < 3; from++) {
      mixes[9 * image + 3 * to + from] = gray * grayParts[from]! + (from === to ? own : 0);
    }
  }
}

function mixChannels(images: tf.Tensor3D, mixes: Float32Array): tf.Tensor3D {
  return tf.matMul(tf.tensor3d(mixes, [images.shape[0], 3, 3]), images);
}

/**
 * Turns the hue of HSV, without the cases of the usual formula.
 *
 * With low and high the least and the greatest of a color's three values, range = high - low, and the hue in sixths of a
 * turn, each value is `low + range * ramp(distance)`: ramp is 1 up to a distance of 1 from the value's own hue (red 0,
 * green 2, blue 4), falls to 0 at 2, and stays 0. Read backwards, the hue's distance from red is
 * `1 + (green + blue - red - low) / range`, to the side of the greater of green and blue.
 */
function shiftHue(images: tf.Tensor3D, { amounts }: ColorJitter): tf.Tensor3D {
  const [red, green, blue] = tf.split(images, 3, 1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
  const low = red.minimum(green).minimum(blue);
  const sixRanges = red.maximum(green).maximum(blue).sub(low).mul<tf.Tensor3D>(6);
  // Where the range is 0 the color is gray, and any hue will do; where green equals blue either side will, but no side not.
  const fromRed = green
    .add(blue)
    .sub(red)
    .sub(low)
    .div(sixRanges.maximum(tiny))
    .add(1 / 6);
  const hues = fromRed.mul(green.sub(blue).add(tiny).sign());
  const turns: tf.Tensor3D = hues.tile([1, 3, 1]).add(channelShifts(amounts));
  const distance = turns.sub(turns.round()).abs();
  const ramp = tf
    .sub(1 / 3, distance)
    .maximum(0)
    .minimum(1 / 6);
  return ramp.mul(sixRanges).add(low);
}

/** [count, 3, 1]: the shift of each image's hue, less the hue of the channel itself, in turns. */
function channelShifts(amounts: Float32Array): tf.Tensor3D {
  const count = amounts.length / 4;
  const shifts = Float32Array.from({ length: 3 * count }, (_, at) => {
    const [image, channel] = [Math.floor(at / 3), at % 3];
    return amounts[4 * image + hue]! - channel / 3;
  });
  return tf.tensor3d(shifts, [count, 3, 1]);
}

/** Below any difference of two float32 colors that can be seen, and above 0. */
const tiny = 1e-20;
