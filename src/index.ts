/** What notebooks and other programs import from "moco-kit". */
import "./display/tensor-text";

export { tf } from "./engine/tf";
export { randomStream, type Random } from "./engine/random";
export { createProgram, type Program } from "./engine/program";
export type { InputSpec, TensorFunction } from "./engine/tensor-function";
export { Variable } from "./engine/variable";
export { withoutGradient } from "./engine/without-gradient";

export { loadData, parseDataName, type DataName } from "./data/load";
export type { ImageData, ImageSet } from "./data/image-set";
export { emojiCredit } from "./data/emoji";
export { drawView, type ViewParameters } from "./data/augmentation-parameters";
export { augmentationPolicies, type AugmentationPolicy } from "./data/augmentation-policy";
export { batchIndices, batchesPerEpoch, drawViews, imageTensor } from "./data/batches";
export { ViewMaker } from "./data/make-view";
export { normalize } from "./data/normalize";

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
export { gradientsOf } from "./nn/gradients";
export { trainingMode, updateRunningAverages, type LayerStatistics } from "./nn/running-averages";
export { initialParameters } from "./nn/initial-values";
export type { Network } from "./nn/network";
export { ParameterVector, type TensorEntry } from "./nn/parameters";
export { createMoco, disposeMoco, mocoStep, type Moco, type MocoConfig, type MocoInputs } from "./methods/moco";
export { defineMethod, oneView, twoViews, type Method, type MethodDefinition } from "./methods/method";
export { endToEndStep, type EndToEnd } from "./methods/end-to-end";
export { supervisedStep } from "./methods/supervised";
export { differentiate, type StepResult } from "./methods/step";
export { loadEncoder } from "./weights/encoder-weights";
export { readWeights, writeWeights } from "./weights/weights-file";
export { nameParts, partsOf } from "./weights/checkpoint-names";
export { KeyQueue } from "./methods/queue";
export { contrastAccuracy, contrastLogits, infoNCE, topOneAccuracy } from "./methods/losses";
export { updateMomentumEncoder } from "./methods/momentum-encoder";

export { Sgd } from "./train/sgd";
export { learningRateAt } from "./train/schedule";
export { parseRecipe, type AnyRecipe, type Recipe } from "./train/recipe";
export { recipeHash } from "./train/recipe-hash";
export { pretrain, type PretrainOptions, type TrainingProgress } from "./train/pretrain";
export { loadCheckpoint } from "./train/checkpoint";

export { knn } from "./evaluate/knn";
export type { Features } from "./evaluate/features";
export { paperLinearRecipe, parseLinearRecipe, type LinearRecipe } from "./evaluate/linear-recipe";
export { trainLinear, type LinearProgress } from "./evaluate/train-linear";
export { evaluateFeatures } from "./evaluate/evaluate-features";
export { extractFeatures, pixelFeatures, randomNetwork } from "./evaluate/extract";
export { groupBootstrap, pairedGroupBootstrap, seedInterval } from "./statistics/intervals";
export { pairedTwoLevelBootstrap, twoLevelBootstrap } from "./statistics/two-level-bootstrap";

export { presetNamed, presetNames, type Preset } from "./recipes/presets";
export {
  composeScenes,
  sceneChecksum,
  sceneCounts,
  sceneCredit,
  type SceneImage,
  type SceneOptions,
  type SceneSet,
} from "./detection/data/scenes";
export type { SceneObject } from "./detection/data/compose-scene";
export { writeScenes, type SceneFormat, type WrittenScenes } from "./detection/data/scene-files";
export { loadDetectionData, type DetectionData } from "./detection/data/detection-data";
export type { Annotation, Box, Detection, DetectionImage, DetectionSet } from "./detection/structures/detection-set";
export { detectionPreset } from "./recipes/detection-presets";
export { parseDetectionRecipe, type DetectionRecipe } from "./detection/detection-recipe";
export { detectionRateAt } from "./detection/detection-schedule";
export { trainableImages } from "./detection/structures/detection-set";
export {
  detectorWeightDecay,
  disposeDetectorTraining,
  startDetectorTraining,
  type Initialization,
} from "./detection/train/detector-training";
export { trainDetector, type DetectorProgress } from "./detection/train/train-detector";
export { DetectorTrainingStep } from "./detection/train/take-detector-step";
export { batchLayout } from "./detection/model/batch-layout";
export { architectureOf, type Detector } from "./detection/model/detector";
export { drawSamples, mapLosses, type DetectorLosses, type TrainingBatch } from "./detection/model/faster-rcnn";
export { regionProposalLosses, regionProposalNetwork } from "./detection/model/region-proposal-network";
export { roiLosses } from "./detection/model/roi-heads";
export { readTrainingBatch, shuffledBatches } from "./detection/train/training-batches";
export { readPredictions, runDetector, type DetectorRun } from "./runs/run-detector";

export { bestRates, mechanismAblation, mechanisms, mechanismTitles } from "./experiments/mechanisms/mechanisms";
export { endToEndRecipe, memoryBankRecipe, mocoV1Recipe, mocoV2Recipe, simclrRecipe } from "./recipes/paper-recipes";
export { queueSizeAblation } from "./experiments/ablation/queue-size";
export { paperAblation, type PaperAblationName } from "./experiments/paper-scale/paper-ablation";
export { paperResult, reproducePaper } from "./experiments/paper-scale/paper-result";
export { momentumAblation } from "./experiments/ablation/momentum";
export { linearEvaluation, linearEvaluationMinutes } from "./experiments/linear-evaluation/linear-evaluation";
export { encoderComparison } from "./experiments/linear-evaluation/encoder-comparison";
export { trainingLengths } from "./experiments/ablation/training-length";
export { compareEngines } from "./experiments/pytorch-parity/two-engines";
export { publishedCocoTables } from "./paper/published-coco";
export { publishedDetectionTables } from "./paper/published-detection";
export { publishedTaskTables } from "./paper/published-tasks";
export {
  fpnTransferOf,
  transferMinutes,
  transferNamed,
  type Transfer,
  type TransferRow,
} from "./experiments/transfer/transfer";
export type { TransferResult } from "./experiments/transfer/transfer-result";
export type { Ablation, Cell } from "./experiments/ablation/ablation";
export type { AblationResult } from "./experiments/ablation/ablation-result";
export { cellTraining, runCell } from "./runs/run-cell";
export { rateTrialNotes, rateTrialRows } from "./experiments/mechanisms/rate-trial-rows";
export { recordedRateTrials, tryRates } from "./experiments/mechanisms/rate-trials";
export { stepCosts, type StepCost } from "./experiments/mechanisms/step-cost";
export { recordedResult, storedAblation } from "./experiments/ablation/stored-ablation";
export { reproduceAblation, type ReproduceOptions } from "./experiments/ablation/reproduce-ablation";
export { linearByLayer } from "./experiments/linear-evaluation/linear-by-layer";
export { readTwoEngines } from "./experiments/pytorch-parity/read-two-engines";
export { measuredEncoders, type MeasuredEncoder } from "./experiments/transfer/measured-encoders";
export { ownRuns, recordedRuns } from "./runs/run-store";
export { detectorInitialization } from "./runs/detector-initialization";
export { runTransfer } from "./experiments/transfer/run-transfer";
export {
  ownTransferRuns,
  recordedTestSet,
  recordedTransferRuns,
  storedDetections,
  storedTransfer,
} from "./experiments/transfer/stored-transfer";
export {
  accuracyNumbers,
  accuracyRows,
  agreementRows,
  footnotes,
  queueRows,
} from "./experiments/ablation/ablation-rows";
export { ablationFigure, seriesFigure, trainingFigure } from "./experiments/ablation/ablation-charts";
export { encoderRows, parametersFigure } from "./experiments/linear-evaluation/encoder-rows";
export { layerFigure, layerRows } from "./experiments/linear-evaluation/layer-rows";
export { engineFigure, engineNotes, engineRows } from "./experiments/pytorch-parity/two-engines-rows";
export { rankFigure, rankFinding, rankRows } from "./experiments/transfer/rank-rows";
export { publishedRows } from "./experiments/transfer/published-rows";
export { recipeRows } from "./experiments/transfer/recipe-rows";
export { taskDifferenceRows, taskFindings, taskRows } from "./experiments/transfer/task-rows";
export {
  categoryRows,
  coverageNote,
  differenceRows,
  reversalNotes,
  validationFigure,
  transferFigure,
  transferNotes,
  transferNumbers,
  transferRows,
} from "./experiments/transfer/transfer-rows";

export { recordedStudies, studyAnswers, trainStudies, type Studies } from "./experiments/studies/all-studies";
export { studyPlan, workLeft, type StudyPlan } from "./experiments/studies/plan";
export { studySizes, type StudySizes } from "./experiments/studies/sizes";
export { shufflingFigures, shufflingNotes, shufflingRows } from "./experiments/studies/shuffling";
export { maskedRows, stalenessFigures, stalenessRows } from "./experiments/studies/staleness-report";
export {
  momentumLengthMap,
  momentumLengthNotes,
  momentumLengthNumbers,
  momentumLengthRows,
} from "./experiments/studies/momentum-length";
export { falseNegativeFigure, falseNegativeRows } from "./experiments/studies/false-negatives";
export { informationBoundFigure, informationBoundRows } from "./experiments/studies/information-bound";

export { judgementsOn } from "./claims/judge";
export { recordedJudgements } from "./report/recorded-judgements";
export { claimNotes, claimRows } from "./report/claim-rows";

export { showChart, type Figure, type Trace } from "./display/chart";
export { showHeatMap, type HeatMap } from "./display/heat-map";
export { stopRequested } from "./display/kernel";
export { liveCurve, type LiveCurve } from "./display/live-curve";
export { showDetections } from "./display/detections";
export { liveDetection } from "./display/live-detection";
export { liveTraining } from "./display/live-training";
export { showImages } from "./display/images";
export { showNearest, type EncodedImages } from "./display/nearest-neighbors";
export { showNotes } from "./display/notes";
export { showTable } from "./display/table";
