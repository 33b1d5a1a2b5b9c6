/** What notebooks and other programs import from "moco-kit". */
export { tf } from "./engine/tf";
export { randomStream, type Random } from "./engine/random";
export { createProgram, type InputSpec, type Program, type TensorFunction } from "./engine/program";
export { Variable } from "./engine/variable";
export { withoutGradient } from "./engine/without-gradient";

export { loadData, type DataName } from "./data/load";
export type { ImageData, ImageSet } from "./data/image-set";
export { emojiCredit } from "./data/emoji";
export { augment, drawAugmentation, normalize } from "./data/augment";
export { augmentationPolicies, type AugmentationPolicy } from "./data/augmentation-policy";
export { batchIndices, batchesPerEpoch, drawViews, imageTensor } from "./data/batches";

export {
  backboneFeatures,
  copyEncoder,
  createEncoder,
  disposeEncoder,
  encode,
  forward,
  l2Normalize,
  type Encoder,
} from "./nn/encoder";
export { initialParameters } from "./nn/initial-values";
export type { Network } from "./nn/network";
export { ParameterVector, type TensorEntry } from "./nn/parameters";
export { createMoco, disposeMoco, mocoStep, type Moco, type MocoConfig, type MocoInputs } from "./methods/moco";
export { defineMethod, oneView, twoViews, type Method, type MethodDefinition } from "./methods/method";
export { differentiate, type StepResult } from "./methods/step";
export { loadEncoder } from "./nn/encoder-weights";
export { readWeights, writeWeights } from "./nn/weights-file";
export { nameParts, partsOf } from "./nn/checkpoint-names";
export { KeyQueue } from "./methods/queue";
export { contrastLogits, infoNCE, topOneAccuracy } from "./methods/losses";
export { updateMomentumEncoder } from "./methods/momentum-encoder";

export { Sgd } from "./train/sgd";
export { learningRateAt } from "./train/schedule";
export { parseRecipe, type AnyRecipe, type Recipe } from "./train/recipe";
export { recipeHash } from "./train/recipe-hash";
export { pretrain, type PretrainOptions, type TrainingProgress } from "./train/pretrain";
export { loadCheckpoint } from "./train/checkpoint";

export { knn } from "./evaluate/knn";
export { evaluateFeatures } from "./evaluate/evaluate-features";
export { extractFeatures, pixelFeatures, randomNetwork } from "./evaluate/extract";
export { groupBootstrap, pairedGroupBootstrap, seedInterval } from "./statistics/intervals";
export { pairedTwoLevelBootstrap, twoLevelBootstrap } from "./statistics/two-level-bootstrap";

export { presetNamed, type Preset } from "./tables/presets";
export {
  composeScenes,
  sceneChecksum,
  sceneCounts,
  sceneCredit,
  type SceneImage,
  type SceneOptions,
  type SceneSet,
} from "./detection/scenes";
export type { SceneObject } from "./detection/compose-scene";
export { writeScenes, type SceneFormat, type WrittenScenes } from "./detection/scene-files";
export { loadDetectionData, type DetectionData } from "./detection/detection-data";
export type { Annotation, Box, Detection, DetectionImage, DetectionSet } from "./detection/detection-set";
export { detectionPreset } from "./detection/detection-presets";
export { parseDetectionRecipe, type DetectionRecipe } from "./detection/detection-recipe";
export { readPredictions, runDetector, type DetectorRun } from "./detection/run-detector";
export { trainDetector, type DetectorProgress } from "./detection/train-detector";

export { bestRates, mechanismAblation, mechanisms, mechanismTitles } from "./tables/mechanisms";
export { endToEndRecipe, memoryBankRecipe, mocoV1Recipe, mocoV2Recipe, simclrRecipe } from "./tables/paper-recipes";
export { queueSizeAblation } from "./tables/queue-size";
export { momentumAblation } from "./tables/momentum";
export { linearEvaluation, linearEvaluationMinutes } from "./tables/linear-evaluation";
export { encoderComparison } from "./tables/encoders";
export { trainingLengths } from "./tables/training-length";
export { compareEngines } from "./tables/two-engines";
export { publishedCocoTables } from "./tables/published-coco";
export { publishedDetectionTables } from "./tables/published-detection";
export { publishedTaskTables } from "./tables/published-tasks";
export { fpnTransferName, transferMinutes, transferNamed, type Transfer, type TransferRow } from "./tables/transfer";
export type { TransferResult } from "./tables/transfer-result";
export type { Ablation, Cell } from "./tables/ablation";
export type { AblationResult } from "./tables/result";
export { cellTraining, runCell } from "./runs/run-cell";
export { tryRates } from "./reproduce/rate-trials";
export { stepCosts, type StepCost } from "./reproduce/step-cost";
export { reproduceAblation, type ReproduceOptions } from "./reproduce/reproduce-ablation";
export { linearByLayer } from "./reproduce/linear-by-layer";
export { readTwoEngines } from "./reproduce/read-two-engines";
export { measuredEncoders, type MeasuredEncoder } from "./reproduce/measured-encoders";
export { ownRuns, recordedRuns } from "./runs/stored-result";
export { detectorInitialization } from "./runs/detector-initialization";
export { runTransfer } from "./runs/run-transfer";
export {
  ownTransferRuns,
  recordedTestSet,
  recordedTransferRuns,
  storedTransfer,
  transferDirectory,
} from "./runs/stored-transfer";
export { accuracyRows, agreementRows, footnotes, queueRows } from "./report/rows";
export { ablationFigure, lossFigure, monitorFigure, seriesFigure } from "./report/charts";
export { encoderRows } from "./report/encoders";
export { layerFigure, layerRows } from "./report/layers";
export { engineFigure, engineNotes, engineRows } from "./report/two-engines";
export { rankFigure, rankFinding, rankRows } from "./report/measured-encoders";
export { publishedRows } from "./report/published";
export { taskDifferenceRows, taskFindings, taskRows } from "./report/tasks";
export {
  categoryRows,
  differenceRows,
  readingsFigure,
  transferFigure,
  transferNotes,
  transferRows,
} from "./report/transfer";

export { studyPlan, workLeft, type StudyPlan } from "./studies/plan";
export type { FindRun } from "./studies/study";
export { shufflingFigures, shufflingRows, shufflingStudy } from "./studies/shuffling";
export { observeStaleness, type StalenessRecord } from "./studies/observe-staleness";
export { stalenessStudy } from "./studies/staleness";
export { maskedRows, stalenessFigures, stalenessRows } from "./studies/staleness-report";
export { momentumLengthMap, momentumLengthRows, momentumLengthStudy } from "./studies/momentum-length";
export { falseNegativeFigure, falseNegativeRows, falseNegatives } from "./studies/false-negatives";
export { informationBound, informationBoundFigure, informationBoundRows } from "./studies/information-bound";

export { showChart, type Figure, type Trace } from "./notebook/chart";
export { showHeatMap, type HeatMap } from "./notebook/heat-map";
export { stopRequested } from "./notebook/kernel";
export { liveCurve, type LiveCurve } from "./notebook/live-curve";
export { showDetections } from "./notebook/detections";
export { liveDetection } from "./notebook/live-detection";
export { liveTraining } from "./notebook/live-training";
export { showImages } from "./notebook/images";
export { showTable } from "./notebook/table";
