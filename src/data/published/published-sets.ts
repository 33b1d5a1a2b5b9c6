import { join } from "node:path";
import type { Checksum } from "./download";
import { makeValidationClasses } from "./imagenet-classes";
import { makeCifar100Folders, makeStl10Folders } from "./record-images";

/** A file of a data set, as its publisher offers it. */
export interface PublishedArchive {
  /** Where it is offered; for ImageNet, the page to which one must sign in. */
  readonly url: string;
  readonly file: string;
  /** Unknown of an archive that is never downloaded here. */
  readonly bytes: number | undefined;
  readonly checksum: Checksum;
  /** Folder that it is unpacked into, below the data root; "" is the root. */
  readonly into: string;
  /** Archives in it are unpacked too. */
  readonly nested?: boolean | undefined;
}

/** Files that a whole data set has: so many below a folder whose names end so. */
export interface ExpectedFiles {
  /** Below the data root. */
  readonly folder: string;
  readonly ending: string;
  readonly count: number;
}

/** A data set that `moco data get` puts in place. */
export interface PublishedSet {
  readonly name: string;
  readonly title: string;
  readonly archives: readonly PublishedArchive[];
  /** The folder it is in once it is whole, below the data root. */
  readonly place: string;
  /** About how much it takes when unpacked; an archive that has a tenth more is refused. */
  readonly unpackedBytes: number;
  readonly expected: readonly ExpectedFiles[];
  /** Makes of the unpacked archives what lies in the place. */
  readonly finish?: (folder: string, signal?: AbortSignal) => Promise<void>;
  /** How to use it. */
  readonly use: string;
  /** Whether the archives must be the user's: they are offered to those only who have signed in. */
  readonly ownArchives?: boolean;
}

const md5 = (hex: string): Checksum => ({ algorithm: "md5", hex });
const sha1 = (hex: string): Checksum => ({ algorithm: "sha1", hex });

const gigabyte = 1e9;

function archive(
  folder: string,
  file: string,
  bytes: number | undefined,
  checksum: Checksum,
  into: string,
  nested = false,
): PublishedArchive {
  return { url: `${folder}/${file}`, file, bytes, checksum, into, ...(nested && { nested }) };
}

const cifar = "https://www.cs.toronto.edu/~kriz";
const fastai = "https://s3.amazonaws.com/fast-ai-imageclas";
const voc = "http://host.robots.ox.ac.uk/pascal/VOC";
const coco = "http://images.cocodataset.org";
const imageNet = "https://image-net.org/data/ILSVRC/2012";

/** A VOC year: as many annotations as images. */
function vocFiles(year: string, count: number): ExpectedFiles[] {
  const folder = `VOCdevkit/VOC${year}`;
  return [
    { folder: `${folder}/JPEGImages`, ending: ".jpg", count },
    { folder: `${folder}/Annotations`, ending: ".xml", count },
  ];
}

function imagenette(
  name: string,
  file: string,
  bytes: number,
  checksum: Checksum,
  unpackedBytes: number,
): PublishedSet {
  const place = file.replace(/\.tgz$/, "");
  return {
    name,
    title: `Imagenette (${place})`,
    archives: [archive(fastai, file, bytes, checksum, "")],
    place,
    unpackedBytes,
    expected: [
      { folder: `${place}/train`, ending: ".JPEG", count: 9469 },
      { folder: `${place}/val`, ending: ".JPEG", count: 3925 },
    ],
    use: `--data folder:${place}`,
  };
}

/** All data sets that can be got, by name. */
export const publishedSets: readonly PublishedSet[] = [
  {
    name: "cifar10",
    title: "CIFAR-10, binary version",
    // MD5: www.cs.toronto.edu/~kriz/cifar.html
    archives: [archive(cifar, "cifar-10-binary.tar.gz", 170_052_171, md5("c32a1d4ab5d03f1284b67883e8d87530"), "")],
    place: "cifar-10-batches-bin",
    unpackedBytes: 0.19 * gigabyte,
    expected: [{ folder: "cifar-10-batches-bin", ending: ".bin", count: 6 }],
    use: "--data cifar10",
  },
  {
    name: "cifar100",
    title: "CIFAR-100, as class folders",
    // MD5: www.cs.toronto.edu/~kriz/cifar.html
    archives: [archive(cifar, "cifar-100-binary.tar.gz", 168_513_733, md5("03b5dce01913d631647c71ecec9e9cb8"), "")],
    place: "cifar100",
    unpackedBytes: 0.4 * gigabyte,
    expected: [
      { folder: "cifar100/train", ending: ".png", count: 50_000 },
      { folder: "cifar100/test", ending: ".png", count: 10_000 },
    ],
    finish: makeCifar100Folders,
    use: "--data folder:cifar100",
  },
  {
    name: "stl10",
    title: "STL-10, as class folders",
    archives: [
      // MD5: torchvision, torchvision/datasets/stl10.py
      archive(
        "http://ai.stanford.edu/~acoates/stl10",
        "stl10_binary.tar.gz",
        2_640_397_119,
        md5("91f7769df0f17e558f3565bffb0c7dfb"),
        "",
      ),
    ],
    place: "stl10",
    unpackedBytes: 6 * gigabyte,
    expected: [
      { folder: "stl10/train", ending: ".png", count: 5000 },
      { folder: "stl10/test", ending: ".png", count: 8000 },
      { folder: "stl10/unlabeled", ending: ".png", count: 100_000 },
    ],
    finish: makeStl10Folders,
    use: "--data folder:stl10, or without classes --data folder:stl10/unlabeled",
  },
  // MD5: torchvision, torchvision/datasets/imagenette.py
  imagenette("imagenette", "imagenette2.tgz", 1_557_161_267, md5("fe2fc210e6bb7c5664d602c3cd71e612"), 1.6 * gigabyte),
  imagenette(
    "imagenette-320",
    "imagenette2-320.tgz",
    341_663_724,
    md5("3df6f0d01a2c9592104656642f5e78a3"),
    0.36 * gigabyte,
  ),
  {
    name: "imagenet",
    title: "ImageNet-1M (ILSVRC 2012)",
    archives: [
      // MD5: torchvision, torchvision/datasets/imagenet.py
      archive(
        imageNet,
        "ILSVRC2012_img_train.tar",
        147_897_477_120,
        md5("1d675b47d978889d74fa0da5fadfb00e"),
        "imagenet/train",
        true,
      ),
      archive(
        imageNet,
        "ILSVRC2012_img_val.tar",
        6_744_924_160,
        md5("29b22e2961454d5413ddabcf34fc5622"),
        "imagenet/val",
      ),
      archive(imageNet, "ILSVRC2012_devkit_t12.tar.gz", undefined, md5("fa75699e90414af021442c21a62c3abf"), "imagenet"),
    ],
    place: "imagenet",
    unpackedBytes: 160 * gigabyte,
    expected: [
      { folder: "imagenet/train", ending: ".JPEG", count: 1_281_167 },
      { folder: "imagenet/val", ending: ".JPEG", count: 50_000 },
    ],
    finish: (folder, signal) => makeValidationClasses(join(folder, "imagenet"), signal),
    use: "--data folder:imagenet",
    ownArchives: true,
  },
  {
    name: "voc2007",
    title: "PASCAL VOC 2007, trainval and test",
    archives: [
      // MD5: torchvision, torchvision/datasets/voc.py
      archive(
        `${voc}/voc2007`,
        "VOCtrainval_06-Nov-2007.tar",
        460_032_000,
        md5("c52e279531787c972589f7e41ab4ae64"),
        "",
      ),
      archive(`${voc}/voc2007`, "VOCtest_06-Nov-2007.tar", 451_020_800, md5("b6e924de25625d8de591ea690078ad9f"), ""),
    ],
    place: "VOCdevkit/VOC2007",
    unpackedBytes: 0.95 * gigabyte,
    expected: vocFiles("2007", 9963),
    use: "moco detect --dataset voc --root ROOT/VOCdevkit",
  },
  {
    name: "voc2012",
    title: "PASCAL VOC 2012, trainval",
    archives: [
      // MD5: torchvision, torchvision/datasets/voc.py
      archive(
        `${voc}/voc2012`,
        "VOCtrainval_11-May-2012.tar",
        1_999_639_040,
        md5("6cd6e144f989b92b3379bac3b3de84fd"),
        "",
      ),
    ],
    place: "VOCdevkit/VOC2012",
    unpackedBytes: 2.1 * gigabyte,
    expected: vocFiles("2012", 17_125),
    use: "moco detect --dataset voc --root ROOT/VOCdevkit",
  },
  {
    name: "coco2017",
    title: "COCO 2017, train and val",
    archives: [
      // SHA-1: GluonCV, scripts/datasets/mscoco.py
      archive(
        `${coco}/annotations`,
        "annotations_trainval2017.zip",
        252_907_541,
        sha1("8551ee4bb5860311e79dace7e79cb91e432e78b3"),
        "coco",
      ),
      archive(`${coco}/zips`, "val2017.zip", 815_585_330, sha1("4950dc9d00dbe1c933ee0170f5797584351d2a41"), "coco"),
      archive(
        `${coco}/zips`,
        "train2017.zip",
        19_336_861_798,
        sha1("10ad623668ab00c62c096f0ed636d6aff41faca5"),
        "coco",
      ),
    ],
    place: "coco",
    unpackedBytes: 21.5 * gigabyte,
    expected: [
      { folder: "coco/train2017", ending: ".jpg", count: 118_287 },
      { folder: "coco/val2017", ending: ".jpg", count: 5000 },
      { folder: "coco/annotations", ending: ".json", count: 6 },
    ],
    use: "moco detect --dataset coco --root ROOT/coco",
  },
];
