/**
 * The environment that libtensorflow reads once, while it loads. Imported before anything that loads it.
 *
 * `TF_DETERMINISTIC_OPS`: without it, some CPU gradients (CropAndResizeGradImage) are wrong on several threads,
 * and the same seed need not give the same bits. `TF_ENABLE_ONEDNN_OPTS`: TensorFlow uses oneDNN by itself on some processors
 * only (those with instructions for neural networks, VNNI or AMX); without it the gradient of a dilated convolution does not exist on a CPU, and a step takes a
 * quarter longer. `TF_OVERRIDE_GLOBAL_THREADPOOL` gives each session threads of its own (session-threads.ts). `TF_CPP_MIN_LOG_LEVEL=2` keeps information lines off the terminal.
 */
process.env["TF_DETERMINISTIC_OPS"] ??= "1";
process.env["TF_ENABLE_ONEDNN_OPTS"] ??= "1";
process.env["TF_OVERRIDE_GLOBAL_THREADPOOL"] ??= "1";
process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";

export {};
